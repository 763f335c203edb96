import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.durations import TURN_SECONDS, predict
from shared.training.schedule import (
    MAX_PAST,
    OVERBOOKING,
    Bounds,
    backoff,
    best_delay,
    expected_end,
    next_delay,
    spread,
    weight,
)
from tests.support.known_durations import Believed, Known, LogNormal, LogUniform, best_polls, cost, polls_of

SECONDS = st.floats(min_value=0.001, max_value=604_800)
BOUNDS = st.tuples(SECONDS, SECONDS).map(lambda pair: Bounds(min(pair), max(pair)))
AGE = st.floats(min_value=-10, max_value=1e9)
PAST = st.lists(st.floats(min_value=-10, max_value=1e6), max_size=MAX_PAST)
PRICE = st.floats(min_value=0.01, max_value=1e6)
JITTER = st.floats(min_value=0, max_value=1, exclude_max=True)
ASKED = st.none() | st.floats(min_value=0, max_value=1e9)
USUAL = Bounds(least=1, most=60)
SAME = [60.0] * 5


@pytest.mark.parametrize("median", [0.3, 2, 10, 70, 500])
@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.3, 1, 2])
def test_a_log_normal_duration_costs_one_percent_more_than_the_best_at_most(sigma: float, median: float) -> None:
    assert _cost_over_best(LogNormal(median, sigma), points=40_000 if sigma > 1 else 4_000) <= 1.01


@pytest.mark.parametrize("price", [0.1, 1, 10, 100])
def test_a_log_uniform_duration_costs_one_percent_more_than_the_best_at_most(price: float) -> None:
    assert _cost_over_best(LogUniform(0.2, 1_800), price) <= 1.01


@pytest.mark.parametrize("past", [[90.0], [90.0] * 5, [90.0] * MAX_PAST, [600.0] * 5, [10.0, 100.0]], ids=str)
def test_what_is_predicted_costs_three_percent_more_than_the_best_at_most(past: list[float]) -> None:
    assert _cost_over_best(Believed(predict(past)), points=8_000) <= 1.03


def test_a_delay_that_the_bounds_hold_down_takes_as_few_polls_as_they_allow() -> None:
    ages = [0.0]
    while ages[-1] < 540:
        ages.append(ages[-1] + best_delay(predict([600.0] * MAX_PAST), ages[-1], 1, USUAL))
    assert len(ages) - 1 <= 540 / USUAL.most + 1


def test_the_best_polls_are_found_by_trying_all() -> None:
    known, points, price = LogNormal(10, 0.4), 60, 2.0
    first, last = known.quantile(1e-7), known.quantile(1 - 1e-7)
    ages = [first * (last / first) ** (i / (points - 1)) for i in range(points)]
    left = [known.at(age)[0] for age in ages]
    remaining = [0.0] * points
    for i in reversed(range(points - 1)):
        remaining[i] = price * left[i] + min(ages[j] * (left[i] - left[j]) + remaining[j] for j in range(i + 1, points))
    least = price + min(ages[j] * (1 - left[j]) + remaining[j] for j in range(points)) - known.mean_up_to(last)
    assert cost(known, best_polls(known, price, points)).calls(price) == pytest.approx(least / price)


@given(PAST, AGE, PRICE, BOUNDS)
def test_a_delay_is_within_the_bounds(past: list[float], age: float, price: float, bounds: Bounds) -> None:
    assert bounds.least <= next_delay(past, age, price=price, bounds=bounds) <= bounds.most


@given(AGE, PRICE, PRICE)
def test_a_dearer_poll_is_never_sooner(age: float, one: float, other: float) -> None:
    cheap, dear = (next_delay([], age, price=price, bounds=USUAL) for price in sorted((one, other)))
    assert cheap <= dear * 1.001


def test_without_a_past_polls_thin_out_with_age() -> None:
    delays = [next_delay([], age, price=1, bounds=USUAL) for age in (0, 1, 10, 100, 300, 600)]
    assert delays == sorted(delays)
    assert delays[0] < 3


def test_in_the_end_polls_are_even() -> None:
    keller = math.sqrt(2 * TURN_SECONDS)
    for age in (TURN_SECONDS, 5_000, 20_000, 1e6):
        assert best_delay(predict([]), age, 1, USUAL) == pytest.approx(keller, rel=0.01)


def test_a_known_group_is_polled_when_its_training_is_about_to_end() -> None:
    first = next_delay(SAME, 0, price=1, bounds=USUAL)
    second = first + next_delay(SAME, first, price=1, bounds=USUAL)
    assert 54 < first < 60 < second < 66


@pytest.mark.parametrize("past", [[], [0.2], [0.2] * 5])
def test_the_shortest_training_is_seen_within_three_seconds(past: list[float]) -> None:
    assert spread(next_delay(past, 0, price=1, bounds=USUAL), 0.999) - 0.2 < 3


def test_spread_delays_are_on_average_what_is_best() -> None:
    chance = random.Random(0)
    planned, waited = 0.0, 0.0
    for age in range(1, 600):
        planned += best_delay(predict([]), age, 1, USUAL)
        waited += spread(next_delay([], age, price=1, bounds=USUAL), chance.random())
    assert waited == pytest.approx(planned, rel=0.02)


def test_at_the_price_that_weights_make_the_polls_fit_the_pace() -> None:
    pace, price = 8.0, 1.0
    watches = [(past, float(age)) for past in ([], SAME, [300.0]) for age in range(0, 600, 3)]
    for _ in range(20):
        bounds = Bounds(1, 60 * math.sqrt(price))
        weights = sum(weight(past, age, price=price, bounds=bounds) for past, age in watches)
        price = (weights / pace) ** 2
    polls = sum(1 / next_delay(past, age, price=price, bounds=bounds) for past, age in watches)
    assert polls == pytest.approx(pace * OVERBOOKING, rel=0.02)


def test_a_weight_hardly_depends_on_the_price_that_it_was_made_at() -> None:
    bounds = Bounds(0.001, 1e9)
    weights = [weight([], 300, price=price, bounds=bounds) for price in (1, 10, 100)]
    assert max(weights) < 1.2 * min(weights)


def test_the_expected_end_is_the_median_of_what_is_left() -> None:
    assert expected_end([], 0) == pytest.approx(math.sqrt(0.2 * 1_800), rel=0.01)
    assert expected_end(SAME, 0) == pytest.approx(60, rel=0.02)
    assert expected_end(SAME, 50) == pytest.approx(10, rel=0.1)
    assert expected_end([], 3_000) == pytest.approx(TURN_SECONDS * math.log(2))


@given(PAST, AGE)
def test_an_end_is_expected_in_the_future(past: list[float], age: float) -> None:
    assert 0 < expected_end(past, age) < math.inf


@given(st.floats(min_value=0, max_value=1e6), JITTER)
def test_a_spread_delay_is_whole_seconds_and_up_to_a_tenth_more(delay: float, jitter: float) -> None:
    assert delay <= spread(delay, jitter) <= max(math.ceil(delay), delay * 1.1)


def test_long_delays_of_groups_that_are_enqueued_together_are_spread() -> None:
    assert {spread(60, jitter / 10) for jitter in range(10)} == {60, 61, 62, 63, 64, 65}
    assert spread(1, 0.999) == 1


@given(BOUNDS, st.integers(min_value=1, max_value=10**6), ASKED, JITTER)
def test_a_backoff_is_within_the_bounds_whatever_is_asked(
    bounds: Bounds, troubles: int, asked: float | None, jitter: float
) -> None:
    assert bounds.least <= backoff(bounds, troubles=troubles, asked=asked, jitter=jitter) <= bounds.most


def test_a_backoff_doubles_with_each_trouble_up_to_the_most() -> None:
    delays = [backoff(USUAL, troubles=troubles, asked=None, jitter=0) for troubles in range(1, 10)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_half_of_a_backoff_is_random() -> None:
    shortest, longest = (backoff(USUAL, troubles=4, asked=None, jitter=jitter) for jitter in (0, 0.999_999))
    assert shortest == 8
    assert longest == pytest.approx(16, rel=1e-3)


def test_a_backoff_waits_for_as_long_as_is_asked() -> None:
    assert backoff(USUAL, troubles=1, asked=45, jitter=0) == 45
    assert backoff(USUAL, troubles=1, asked=450, jitter=0) == 60


def _cost_over_best(known: Known, price: float = 1.0, points: int = 4_000) -> float:
    best = best_polls(known, price, points)
    return cost(known, polls_of(known, price)).calls(price) / cost(known, best).calls(price)
