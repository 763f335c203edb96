import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.durations import TURN_SECONDS, Duration, predict, student_tail

PAST = st.lists(st.floats(min_value=0, max_value=1e6), max_size=16)
AGE = st.floats(min_value=0.01, max_value=1e9)
USUAL = [55.0, 60.0, 66.0]


@pytest.mark.parametrize(
    ("x", "degrees", "tail"),
    [
        (6.314, 1, 0.05),
        (2.920, 2, 0.05),
        (2.353, 3, 0.05),
        (-2.353, 3, 0.95),
        (2.015, 5, 0.05),
        (9.925, 2, 0.005),
        (2.921, 16, 0.005),
        (2.898, 17, 0.005),
        (0, 8, 0.5),
    ],
)
def test_the_tail_of_students_t_is_that_of_the_printed_tables(x: float, degrees: int, tail: float) -> None:
    assert student_tail(x, degrees) == pytest.approx(tail, rel=1e-3)


@pytest.mark.parametrize("past", [[], [0.1], [60.0], USUAL, [1, 1_000], [60.0] * 16], ids=len)
def test_the_density_is_the_slope_of_the_probability(past: list[float]) -> None:
    duration = predict(past)
    for age in (0.15, 0.3, 2, 30, 58, 61, 100, 600, 700, 1_700, 2_000, 6_000):
        step = age * 1e-5
        fall = duration.at(age - step)[0] - duration.at(age + step)[0]
        assert duration.at(age)[1] == pytest.approx(fall / (2 * step), rel=1e-3, abs=1e-9)


@given(PAST, AGE, AGE)
def test_a_longer_training_is_never_more_probable(past: list[float], one: float, other: float) -> None:
    duration = predict(past)
    (earlier, _), (later, _) = (duration.at(age) for age in sorted((one, other)))
    assert 1 >= earlier >= later - 1e-12 >= -1e-12


@given(PAST, AGE)
def test_no_step_passes_over_a_change_of_the_density(past: list[float], age: float) -> None:
    duration = predict(past)
    longer = age * math.exp(duration.step(age))
    middle = math.sqrt(age * longer)
    ends = [(age, duration.at(age)), (longer, duration.at(longer))]
    # In log time, per log second; a step in which next to nothing can end may be as coarse as it likes.
    mean = sum(seconds * density for seconds, (_, density) in ends) / 2
    assert middle * duration.at(middle)[1] == pytest.approx(mean, rel=0.35, abs=0.005)


def test_nothing_known_is_log_uniform_and_then_of_a_constant_hazard() -> None:
    duration = predict([])
    assert duration.at(0.1) == (1, 0)
    assert _within(duration, 1, 10) == pytest.approx(_within(duration, 10, 100))
    for age in (TURN_SECONDS, 2_000, 7_000):
        longer, density = duration.at(age)
        assert density / longer == pytest.approx(1 / TURN_SECONDS)


def test_one_past_duration_is_believed_within_a_tenth() -> None:
    assert 0.4 < _within(predict([60.0]), 54, 66) < 0.6


def test_more_of_the_same_past_are_believed_more() -> None:
    shares = [_within(predict([60.0] * times), 54, 66) for times in (1, 2, 5, 16)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_many_past_durations_show_how_far_they_lie_apart() -> None:
    past = [60 * math.exp(0.5 * NormalDist().inv_cdf((i + 0.5) / 16)) for i in range(16)]
    assert _within(predict(past), 60 * math.exp(-0.5), 60 * math.exp(0.5)) == pytest.approx(0.97 * 0.68, abs=0.06)


def test_however_sure_the_past_a_surprise_is_possible() -> None:
    duration = predict([600.0] * 16)
    assert _within(duration, 0.2, 20) == pytest.approx(0.03 * _within(predict([]), 0.2, 20), rel=0.01)


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    assert predict([-3.0, 0.0]) == predict([0.05, 0.05])


def _within(duration: Duration, low: float, high: float) -> float:
    return duration.at(low)[0] - duration.at(high)[0]
