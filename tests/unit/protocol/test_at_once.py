"""Every request ends with exactly one true event, whoever is at work at once, and whatever goes wrong meanwhile."""

from collections.abc import Callable
from functools import partial

import pytest
from azure.storage.queue import QueueMessage

from tests.support.watching import Jobs
from tests.unit.protocol.conftest import Explored
from tests.unit.protocol.disturbances import let_pass
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World

pytestmark = pytest.mark.exhaustive

LONG_SECONDS = 3000

with_and_without_timer = pytest.mark.parametrize("with_timer", [True, False], ids=["timer", "no timer"])
without_and_with_a_fault = pytest.mark.parametrize("faults", [0, 1])
ended_and_running = pytest.mark.parametrize("seconds", [0, LONG_SECONDS], ids=["ended", "running"])

type Work = Callable[[Jobs], None]


def handling(world: World, message: QueueMessage) -> Work:
    """Return the handling of a message that was received."""
    return partial(world.deliver, message)


def cancelling(world: World, request: str) -> Work:
    """Return the cancelling of a request."""
    return partial(world.cancel, request)


def with_follow_up(world: World, seconds: float, *, train: bool = False) -> str:
    """Put a request on record whose follow-up is visible, and whose training ends in so many seconds."""
    first = world.service.begin(GROUP, LONG_SECONDS)
    request = world.enqueue(train=train)
    world.deliver(world.receive())
    first.seconds = (world.clock() - first.created).total_seconds() + seconds
    return request


def finish(world: World) -> None:
    """Let nothing more go wrong, and check that all ends well."""
    world.faults, world.disturbances = 0, []
    world.come_to_rest()
    check_promise(world)


@without_and_with_a_fault
@ended_and_running
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
@pytest.mark.parametrize("phase", ["request", "follow-up"])
def test_a_message_is_delivered_again_while_it_is_handled(
    explored: Explored, phase: str, train: bool, seconds: float, faults: int
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=not faults)
        if phase == "request":
            world.service.begin(GROUP, seconds)
            world.clock.advance(1)
            world.enqueue(train=train)
        else:
            with_follow_up(world, seconds, train=train)
        first = world.receive()
        world.clock.advance(LEASE_SECONDS)
        second = world.receive()
        assert first.id == second.id
        world.faults = faults
        world.at_once(handling(world, first), handling(world, second))
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
@pytest.mark.parametrize("trains", [(False, False), (False, True), (True, True)], ids=str)
def test_two_requests_are_handled_at_once(
    explored: Explored, trains: tuple[bool, bool], seconds: float, faults: int
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=not faults)
        world.service.begin(GROUP, seconds)
        world.clock.advance(1)
        for train in trains:
            world.enqueue(train=train)
        messages = [world.receive() for _ in trains]
        world.faults = faults
        world.at_once(*(handling(world, message) for message in messages))
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
@pytest.mark.parametrize("trains", [(False, False), (False, True), (True, False)], ids=str)
def test_a_request_comes_while_the_group_is_polled(
    explored: Explored, trains: tuple[bool, bool], seconds: float, faults: int
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=not faults)
        with_follow_up(world, seconds, train=trains[0])
        follow_up = world.receive()
        world.enqueue(train=trains[1])
        request = world.receive()
        world.faults = faults
        world.at_once(handling(world, follow_up), handling(world, request))
        finish(world)

    assert explored(scenario) > 5


@ended_and_running
def test_a_follow_up_a_request_and_a_redelivery_come_at_once(explored: Explored, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        with_follow_up(world, seconds)
        world.receive()
        world.clock.advance(LEASE_SECONDS)
        follow_up = world.receive()
        world.enqueue(train=True)
        request = world.receive()
        world.enqueue(trained_after=world.clock())
        other = world.receive()
        world.at_once(*(handling(world, each) for each in (follow_up, request, other)))
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
@pytest.mark.parametrize("phase", ["request", "follow-up"])
def test_a_late_message_and_the_timer(explored: Explored, phase: str, seconds: float, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        with_follow_up(world, seconds)
        if phase == "request":
            # Its watch has ended, and its index row is left.
            world.outage = world.results
            world.deliver(world.receive())
            world.outage = None
            world.enqueue()
        world.clock.advance(180)
        message = world.receive()
        world.faults = faults
        world.at_once(handling(world, message), world.run_timer)
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
def test_two_runs_of_the_timer(explored: Explored, seconds: float, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        with_follow_up(world, seconds)
        world.purge()
        world.clock.advance(180)
        world.faults = faults
        world.at_once(world.run_timer, world.run_timer)
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
def test_an_owed_event_is_sent_by_a_message_and_two_timers(explored: Explored, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        request = with_follow_up(world, 0)
        world.outage = world.results
        world.deliver(world.receive())
        world.outage = None
        world.clock.advance(180)
        message = world.receive()
        world.faults = faults
        timers = [world.run_timer] * (1 if faults else 2)
        world.at_once(handling(world, message), *timers)
        finish(world)
        assert world.results.outcome(request) == "succeeded"

    assert explored(scenario) > 5


def test_the_timer_meets_a_group_that_begins_anew(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        with_follow_up(world, 0)
        world.with_timer = False
        world.outage = world.results
        world.deliver(world.receive())
        world.outage = None
        world.come_to_rest()
        # The row of an earlier life is left in the index, as a death before its removal leaves it.
        row = {
            "PartitionKey": "live",
            "RowKey": f"largePersonGroup:{GROUP}",
            "nextPollAt": world.clock(),
            "weight": 0.0,
        }
        world.table.upsert_entity(row)
        world.clock.advance(180)
        world.service.begin(GROUP, LONG_SECONDS)
        world.enqueue()
        message = world.receive()
        world.at_once(handling(world, message), world.run_timer, world.run_timer)
        world.with_timer = True
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
@pytest.mark.parametrize("alone", [True, False], ids=["the only one", "one of two"])
def test_a_cancel_while_the_group_is_polled(explored: Explored, alone: bool, seconds: float, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=not faults)
        request = with_follow_up(world, seconds)
        if not alone:
            world.enqueue()
            world.deliver(world.receive())
        follow_up = world.receive()
        world.faults = faults
        world.at_once(cancelling(world, request), handling(world, follow_up))
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
@ended_and_running
def test_a_cancel_of_a_request_that_is_on_its_way(explored: Explored, seconds: float, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, seconds)
        request = world.enqueue()
        message = world.receive()
        world.faults = faults
        world.at_once(cancelling(world, request), handling(world, message))
        finish(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
def test_two_cancels_and_the_timer(explored: Explored, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        request = with_follow_up(world, LONG_SECONDS)
        world.clock.advance(180)
        world.faults = faults
        others = [] if faults else [world.run_timer]
        world.at_once(cancelling(world, request), cancelling(world, request), *others)
        finish(world)
        assert world.results.outcome(request) == "cancelled" or world.spent

    assert explored(scenario) > 5


@pytest.mark.parametrize("seconds", [25, 70])
def test_a_slow_caller_and_another_handler_start_one_training(explored: Explored, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, 0)
        world.clock.advance(1)
        world.enqueue(train=True)
        one = world.receive()
        world.clock.advance(LEASE_SECONDS)
        two = world.receive()
        world.disturbances, world.disturb_before = [let_pass(seconds)], "submit_transaction"
        world.at_once(handling(world, one), handling(world, two))
        finish(world)

    assert explored(scenario) > 5


@pytest.mark.parametrize(("together", "faults"), [(2, 0), (2, 1), (3, 0)])
def test_handlers_of_one_process_take_turns(explored: Explored, together: int, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        with_follow_up(world, 0)
        messages = [world.receive()]
        for number in range(together - 1):
            world.enqueue(train=number == 1)
            messages.append(world.receive())
        process = world.process()
        world.faults = faults
        world.at_once(*(handling(world, each) for each in messages), processes=[process] * together)
        finish(world)

    assert explored(scenario) > 5
