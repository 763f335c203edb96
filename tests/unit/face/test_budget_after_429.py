import pytest

from shared.face.budget import MAX_PAUSE_SECONDS, RequestBudget
from shared.face.errors import BudgetExhausted


class Time:
    """A clock that stands still but for the sleeping of those who ask for it."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def gap(budget: RequestBudget) -> float:
    return -budget.wait_for_slot(60) + budget.wait_for_slot(60)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def budget(time: Time) -> RequestBudget:
    return RequestBudget(10, clock=time.clock, sleep=time.sleep)


def test_a_refusal_lowers_the_pace_at_once(budget: RequestBudget) -> None:
    assert gap(budget) == pytest.approx(0.1)
    budget.refused(budget.wait_for_slot(60), None)
    assert gap(budget) == pytest.approx(0.2)


def test_refusals_of_calls_that_were_under_way_lower_it_once(budget: RequestBudget) -> None:
    slots = [budget.wait_for_slot(60) for _ in range(5)]
    for slot in slots:
        budget.refused(slot, None)
    assert gap(budget) == pytest.approx(0.2)


def test_good_answers_raise_the_pace_again_slowly_and_not_beyond_the_budget(budget: RequestBudget) -> None:
    budget.refused(budget.wait_for_slot(60), None)
    for _ in range(25):
        budget.answered()
    assert gap(budget) == pytest.approx(1 / 7.5)
    for _ in range(100):
        budget.answered()
    assert gap(budget) == pytest.approx(0.1)


def test_the_wait_that_the_service_asks_for_holds_the_calls_of_all(budget: RequestBudget, time: Time) -> None:
    budget.refused(budget.wait_for_slot(60), 26)
    assert budget.seconds_until_free() == pytest.approx(26)
    with pytest.raises(BudgetExhausted) as told:
        budget.wait_for_slot(3)
    assert told.value.wait == pytest.approx(26)
    refused_at = time.now
    budget.wait_for_slot(60)
    assert time.now == pytest.approx(refused_at + 26)


def test_a_wait_of_hours_holds_the_calls_of_others_for_a_minute(budget: RequestBudget) -> None:
    budget.refused(budget.wait_for_slot(60), 86_400)
    assert budget.seconds_until_free() == pytest.approx(MAX_PAUSE_SECONDS)


def test_a_call_that_waits_for_its_slot_when_a_refusal_comes_waits_for_another(time: Time) -> None:
    refusals = [5.0]

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if refusals:
            budget.refused(slot, refusals.pop())

    budget = RequestBudget(10, clock=time.clock, sleep=sleep)
    slot = budget.wait_for_slot(60)
    assert budget.wait_for_slot(60) == pytest.approx(slot + 0.1 + 5)


def test_refusals_without_end_do_not_stop_all_calls(budget: RequestBudget, time: Time) -> None:
    for _ in range(50):
        time.now += 1
        budget.refused(budget.wait_for_slot(60), None)
    assert budget.seconds_until_free() < 7
