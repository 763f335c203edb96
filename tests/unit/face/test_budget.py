from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.budget import RequestBudget
from shared.face.errors import BudgetExhausted, FaceError


class Time:
    """A clock that stands still but for the sleeping of those who ask for it."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_calls_are_paced_evenly_from_the_first_on() -> None:
    time = Time()
    budget = RequestBudget(10, clock=time.clock, sleep=time.sleep)
    starts = []
    for _ in range(5):
        budget.wait_for_slot(patience=1)
        starts.append(time.now)
    assert starts == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])


def test_time_that_nobody_used_is_not_saved_for_a_burst() -> None:
    time = Time()
    budget = RequestBudget(10, clock=time.clock, sleep=time.sleep)
    time.now += 60
    budget.wait_for_slot(patience=1)
    budget.wait_for_slot(patience=1)
    assert time.now == pytest.approx(160.1)


@given(
    st.floats(min_value=0.1, max_value=100),
    st.lists(st.tuples(st.floats(min_value=0, max_value=3), st.floats(min_value=0, max_value=30)), max_size=50),
)
def test_no_two_calls_are_nearer_than_the_budget_allows(per_second: float, steps: list[tuple[float, float]]) -> None:
    time = Time()
    budget = RequestBudget(per_second, clock=time.clock, sleep=time.sleep)
    starts = []
    for idle, patience in steps:
        time.now += idle
        asked = time.now
        try:
            budget.wait_for_slot(patience)
        except BudgetExhausted:
            assert time.now == asked
        else:
            starts.append(time.now)
            assert time.now - asked <= patience
    assert all(later - earlier >= 1 / per_second - 1e-9 for earlier, later in pairwise(starts))


def test_a_caller_without_patience_is_told_at_once_how_long_it_would_take_and_takes_no_slot() -> None:
    time = Time()
    budget = RequestBudget(0.1, clock=time.clock, sleep=time.sleep)
    budget.wait_for_slot(patience=0)
    for _ in range(3):
        with pytest.raises(BudgetExhausted, match=r"used up for the next 10\.0 seconds; raise FACE_MAX_TPS") as told:
            budget.wait_for_slot(patience=9)
        assert told.value.wait == pytest.approx(10)
        assert isinstance(told.value, FaceError)
    budget.wait_for_slot(patience=10)
    assert time.now == pytest.approx(110)


def test_threads_share_the_budget() -> None:
    waits: list[float] = []
    lock, barrier = Lock(), Barrier(8)

    def sleep(seconds: float) -> None:
        with lock:
            waits.append(seconds)

    budget = RequestBudget(1, clock=lambda: 0.0, sleep=sleep)

    def call(_: int) -> None:
        barrier.wait()
        for _ in range(50):
            budget.wait_for_slot(patience=1_000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(8)))
    assert sorted(waits) == [float(second) for second in range(1, 400)]
