"""The timer looks after what nobody else does, a bounded number of records a run."""

from datetime import timedelta

import pytest
from shared.training.resume import LONGEST_RUN_SECONDS, MOST_A_RUN

from shared.face.models import GroupKind, TrainingStatus
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, World

TIMEOUT_SECONDS = 3600


def watched(seconds: float, groups: int = 1) -> World:
    """Return a world that watches groups whose trainings take so many seconds, and whose queue was purged."""
    world = World(Schedule())
    for number in range(groups):
        world.service.begin(f"{GROUP}-{number}", seconds)
        world.enqueue(f"{GROUP}-{number}")
        world.deliver(world.receive())
        world.purge()
    return world


@pytest.mark.parametrize(("seconds", "outcome"), [(1e6, "timedOut"), (TIMEOUT_SECONDS, "succeeded")])
def test_a_watch_that_outlived_its_timeout_without_a_message_gets_a_last_look(seconds: float, outcome: str) -> None:
    world = watched(seconds)
    world.clock.advance(TIMEOUT_SECONDS + 60)
    world.run_timer()
    assert world.outcome(world.requests[0]) == outcome
    assert not world.queue.messages
    check_promise(world)


def test_a_watch_that_is_late_by_less_than_two_minutes_is_left_alone() -> None:
    world = watched(1e6)
    world.clock.advance(100)
    world.run_timer()
    assert not world.queue.messages


def test_what_was_sent_again_is_not_sent_once_more_by_the_next_run() -> None:
    world = watched(1e6)
    world.clock.advance(180)
    world.run_timer()
    world.clock.advance(60)
    world.run_timer()
    assert len(world.queue.messages) == 1
    world.clock.advance(120)
    world.run_timer()
    assert len(world.queue.messages) == 2


def test_a_run_takes_up_a_bounded_number_and_the_next_one_goes_on() -> None:
    world = watched(1e6, groups=MOST_A_RUN + 1)
    world.clock.advance(600)
    assert runs_until(world, MOST_A_RUN + 1) > 1
    assert len(world.queue.messages) == MOST_A_RUN + 1


def test_a_run_ends_in_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    world = watched(1e6, groups=30)
    look = world.service.training

    def slow_look(kind: GroupKind, group_id: str) -> TrainingStatus:
        world.clock.advance(20)
        return look(kind, group_id)

    monkeypatch.setattr(world.service, "training", slow_look)
    world.clock.advance(TIMEOUT_SECONDS + 60)
    began = world.clock()
    world.run_timer()
    assert world.clock() - began < timedelta(seconds=LONGEST_RUN_SECONDS + 30)
    assert 0 < len(world.events) < 30


def test_the_record_of_an_ended_watch_is_removed_after_its_retention() -> None:
    world = watched(0)
    world.run_timer()
    assert len(world.events) == 1
    world.clock.advance(timedelta(days=29).total_seconds())
    world.run_timer()
    assert len(world.on_record()) == 1
    world.clock.advance(timedelta(days=1, minutes=1).total_seconds())
    world.run_timer()
    assert not world.on_record()


def test_a_watch_that_still_owes_its_event_is_not_removed() -> None:
    world = World(Schedule())
    world.service.begin(GROUP, 0)
    watch = world.enqueue()
    world.outage = world.results
    world.deliver(world.receive())
    world.clock.advance(timedelta(days=31).total_seconds())
    world.run_timer()
    assert len(world.on_record()) == 1
    world.outage = None
    world.run_timer()
    assert world.outcome(watch) == "succeeded"


def runs_until(world: World, messages: int) -> int:
    """Run the timer until so many messages are in the queue; return how often that was."""
    for runs in range(1, 10):
        world.run_timer()
        if len(world.queue.messages) >= messages:
            return runs
    raise AssertionError(f"{len(world.queue.messages)} messages after 9 runs")
