"""The storage's time, as a machine whose clock is wrong learns it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.budget.machine import Machine, StorageClock

TRUE = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()


def clock_that_is_ahead(seconds: float) -> StorageClock:
    """Return the clock of a machine whose monotonic clock stands at 0."""
    return StorageClock(Machine(monotonic=lambda: 0.0, wall=lambda: TRUE + seconds))


@given(st.floats(-3_600, 3_600), st.floats(0, 30), st.floats(0, 1))
def test_a_clock_is_wrong_by_one_round_trip_at_most(ahead: float, round_trip: float, part: float) -> None:
    clock = clock_that_is_ahead(ahead)
    stamp = datetime.fromtimestamp(TRUE - round_trip * part, UTC)  # somewhere on the way
    clock.learn(stamp, sent=-round_trip, received=0.0)
    assert abs(clock.now().timestamp() - TRUE) <= round_trip + 1e-5


def test_a_slow_answer_does_not_set_a_good_clock_wrong() -> None:
    clock = clock_that_is_ahead(0.2)
    clock.learn(datetime.fromtimestamp(TRUE, UTC), sent=-0.001, received=0.001)
    good = clock.now()
    clock.learn(datetime.fromtimestamp(TRUE - 19, UTC), sent=-20.0, received=0.0)
    assert clock.now() == good
