import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.schedule import Bounds, backoff, next_delay

SECONDS = st.floats(min_value=0.001, max_value=604_800)
BOUNDS = st.tuples(SECONDS, SECONDS).map(lambda pair: Bounds(min(pair), max(pair)))
ELAPSED = st.floats(min_value=0, max_value=1e9)
JITTER = st.floats(min_value=0, max_value=1, exclude_max=True)
ASKED = st.none() | st.floats(min_value=0, max_value=1e9)
PAST = st.lists(st.floats(min_value=0, max_value=1e6), max_size=5)
USUAL = Bounds(least=1, most=60)


@given(BOUNDS, ELAPSED, PAST, JITTER)
def test_a_delay_is_within_the_bounds(bounds: Bounds, elapsed: float, past: list[float], jitter: float) -> None:
    delay = next_delay(bounds, elapsed=elapsed, past_durations=past, asked=None, jitter=jitter)
    assert bounds.least <= delay <= bounds.most


@given(BOUNDS, ELAPSED, st.floats(min_value=0, max_value=1e9), JITTER)
def test_what_the_service_asks_for_holds_beyond_the_bounds(
    bounds: Bounds, elapsed: float, asked: float, jitter: float
) -> None:
    delay = next_delay(bounds, elapsed=elapsed, asked=asked, jitter=jitter)
    assert delay >= asked
    assert bounds.least <= delay <= max(bounds.most, asked)


@given(BOUNDS, ELAPSED, ELAPSED, JITTER)
def test_delays_never_shrink_as_time_goes_by(bounds: Bounds, one: float, other: float, jitter: float) -> None:
    earlier, later = (
        next_delay(bounds, elapsed=elapsed, asked=None, jitter=jitter) for elapsed in sorted((one, other))
    )
    assert earlier <= later


def test_the_first_look_is_soon_and_the_looks_of_six_hours_are_few() -> None:
    elapsed, looks = 0.0, 0
    while elapsed < 21_600:
        elapsed += next_delay(USUAL, elapsed=elapsed, asked=None, jitter=0.5)
        looks += 1
    assert next_delay(USUAL, elapsed=0, asked=None, jitter=0.5) == 1
    assert looks < 400


def test_groups_that_are_enqueued_together_are_looked_at_apart() -> None:
    delays = {next_delay(USUAL, elapsed=30, asked=None, jitter=jitter / 10) for jitter in range(10)}
    assert len(delays) == 10


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
