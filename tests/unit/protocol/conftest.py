"""Explore, and hand on how many schedules there were."""

import gc
import logging
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from shared.training import schedule
from tests.unit.protocol.actors import Condition
from tests.unit.protocol.explorer import Schedule, explore

_NEXT_DELAY, _WEIGHT = cache(schedule.next_delay), cache(schedule.weight)

type Explored = Callable[[Callable[[Schedule], None]], int]


@pytest.fixture(autouse=True)
def _actors_take_the_place_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.training.turns.Condition", Condition)


@pytest.fixture(autouse=True)
def _what_is_computed_again_in_each_schedule_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "next_delay", _NEXT_DELAY)
    monkeypatch.setattr(schedule, "weight", _WEIGHT)


@pytest.fixture(autouse=True)
def _garbage_is_searched_for_less_often_and_not_in_what_other_tests_have_left() -> Iterator[None]:
    gc.freeze()
    young, *older = gc.get_threshold()
    gc.set_threshold(10 * young, *older)
    yield
    gc.set_threshold(young, *older)
    gc.unfreeze()


@pytest.fixture
def explored(record_property: Callable[[str, object], None]) -> Explored:
    """Explore a scenario, and have the number of its schedules told at the end of the run."""

    def run(scenario: Callable[[Schedule], None]) -> int:
        logging.disable()  # what is logged a million times only costs time
        try:
            schedules = explore(scenario)
        finally:
            logging.disable(logging.NOTSET)
        record_property("schedules", schedules)
        return schedules

    return run
