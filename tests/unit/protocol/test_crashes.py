"""Every request ends with exactly one event, whatever its outside calls do, and whoever else is at work."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from shared.training.poison import MAX_DEQUEUE_COUNT
from tests.unit.protocol import outside_calls
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.outside_calls import Fault
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World

type Explored = Callable[[Callable[[Schedule], None]], int]

LONG_SECONDS = 3000
"""Longer than a lease, and shorter than a watch's timeout."""

with_and_without_timer = pytest.mark.parametrize("with_timer", [True, False], ids=["timer", "no timer"])
at_each_phase = pytest.mark.parametrize("steps_before", [0, 1], ids=["request", "follow-up"])
short_and_long = pytest.mark.parametrize("seconds", [2.5, LONG_SECONDS], ids=["ended", "still running"])


def at_step(world: World, steps: int, seconds: float) -> str:
    """Bring one watch to its step of that number, with nothing going wrong."""
    world.service.begin(GROUP, seconds)
    watch = world.enqueue()
    for _ in range(steps):
        world.deliver(world.receive())
    return watch


@with_and_without_timer
@pytest.mark.parametrize("faults", [1, 2])
def test_a_watch_survives_every_fault_of_every_call(explored: Explored, faults: int, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=faults, with_timer=with_timer)
        watch = at_step(world, 0, 2.5)
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 50


@pytest.mark.parametrize("seconds", [-900, -90, 90, 900])
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_clocks_may_disagree(explored: Explored, train: bool, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, handlers_ahead=seconds)
        world.service.begin(GROUP, 0 if train else 2.5)
        world.clock.advance(1)
        watch = world.enqueue(f'{{"groupId": "{GROUP}", "train": {str(train).lower()}}}')
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"
        assert len(world.service.trainings[GROUP]) == 1 + train

    assert explored(scenario) > 50


@with_and_without_timer
@short_and_long
@at_each_phase
def test_a_message_delivered_twice_at_once_is_one_step(
    explored: Explored, steps_before: int, seconds: float, with_timer: bool
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=with_timer)
        watch = at_step(world, steps_before, seconds)
        first = world.receive()
        world.clock.advance(LEASE_SECONDS)
        second = world.receive()
        assert first.id == second.id
        world.faults = 1
        world.at_once([partial(world.deliver, first), partial(world.deliver, second)])
        world.faults = 0
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 100


@short_and_long
@at_each_phase
def test_a_late_message_and_the_timer_may_run_at_once(explored: Explored, steps_before: int, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        watch = at_step(world, steps_before, seconds)
        world.clock.advance(180)
        message = world.receive()
        world.faults = 1
        world.at_once([partial(world.deliver, message), world.run_timer])
        world.faults = 0
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 50


@pytest.mark.parametrize(("faults", "timers"), [(0, 2), (1, 1)])
def test_an_owed_event_is_sent_by_a_message_and_the_timer_at_once(explored: Explored, faults: int, timers: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        watch = at_step(world, 0, 0)
        world.outage = world.results
        world.deliver(world.receive())
        world.outage = None
        world.clock.advance(180)
        message = world.receive()
        world.faults = faults
        world.at_once([partial(world.deliver, message), *[world.run_timer] * timers])
        world.faults = 0
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 100


@short_and_long
def test_two_runs_of_the_timer_at_once_do_no_harm(explored: Explored, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        watch = at_step(world, 1, seconds)
        world.purge()
        world.clock.advance(180)
        world.faults = 1
        world.at_once([world.run_timer, world.run_timer])
        world.faults = 0
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 50


@pytest.mark.parametrize("faults", [0, 1])
def test_a_purge_at_any_point_only_delays(explored: Explored, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        watch = at_step(world, 1, 2.5)
        world.faults, world.disturbances = faults, [World.purge]
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"

    assert explored(scenario) > 5


@with_and_without_timer
@pytest.mark.parametrize("faults", [0, 1])
def test_a_newer_request_at_any_point_supersedes_or_comes_after_the_end(
    explored: Explored, faults: int, with_timer: bool
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=with_timer)
        older = at_step(world, 0, 2.5)
        world.faults, world.disturbances = faults, [ask_again]
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(world.requests[-1]) == "succeeded"
        assert world.outcome(older) in ("succeeded", "superseded")

    assert explored(scenario) > 5


@with_and_without_timer
@pytest.mark.parametrize("steps_before", [0, 1], ids=["request", "follow-up"])
def test_two_requests_handled_at_once(explored: Explored, steps_before: int, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=with_timer)
        at_step(world, steps_before, 60)
        world.enqueue()
        world.clock.advance(2)
        one, two = world.receive(), world.receive()
        world.faults = 1
        world.at_once([partial(world.deliver, one), partial(world.deliver, two)])
        world.faults = 0
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(max(world.requests)) == "succeeded"

    assert explored(scenario) > 100


@with_and_without_timer
@pytest.mark.parametrize("earlier_training", [True, False], ids=["trained before", "never trained"])
@pytest.mark.parametrize("faults", [1, 2])
def test_a_training_is_started_once_and_its_own_end_is_told(
    explored: Explored, faults: int, earlier_training: bool, with_timer: bool
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=faults, with_timer=with_timer)
        world.service.add_group(GROUP)
        if earlier_training:
            world.service.begin(GROUP, seconds=0)
            world.clock.advance(5)
        watch = world.enqueue(f'{{"groupId": "{GROUP}", "train": true}}')
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(watch) == "succeeded"
        assert len(world.service.trainings[GROUP]) == 1 + earlier_training, "not started once"
        newest = world.service.trainings[GROUP][-1].created
        assert f"{newest:%H:%M:%S}" in next(iter(world.events[watch])).split('"createdDateTime":"')[1][:30]

    assert explored(scenario) > 50


@pytest.mark.parametrize("body", [GROUP, f'{{"groupId": "{GROUP}", "unknown": 1}}'], ids=["request", "rejected body"])
@pytest.mark.parametrize("part", ["table", "results"])
def test_a_request_that_the_storage_fails_is_taken_up_from_the_poison_queue(
    explored: Explored, part: str, body: str
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP)
        world.enqueue(body)
        world.outage = getattr(world, part)
        while world.queue.messages:
            world.deliver(world.receive())
        world.outage = None
        world.faults = 1
        world.come_to_rest()
        if body == GROUP:
            check_promise(world)
        else:
            assert [len(contents) for contents in world.events.values()] == [1]

    explored(scenario)


def test_a_request_outlives_any_outage_in_the_poison_queue(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP)
        world.enqueue()
        world.outage = world.table
        while world.queue.messages:
            world.deliver(world.receive())
        world.faults = 1
        for _ in range(MAX_DEQUEUE_COUNT):
            take_up(world)
        world.outage = None
        world.come_to_rest()
        assert {len(contents) for contents in world.events.values()} == {1}
        assert all((message.dequeue_count or 0) >= MAX_DEQUEUE_COUNT for message in world.poison_queue.messages)

    assert explored(scenario) > 1


@pytest.mark.parametrize("faults", [0, 1])
def test_a_follow_up_that_is_poisoned_three_times_abandons_its_watch(explored: Explored, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        watch = at_step(world, 1, LONG_SECONDS)
        for time in range(3):
            world.outage = world.queue  # the follow-up cannot be sent, so that the step fails
            while world.queue.messages:
                world.deliver(world.receive())
            world.outage = None
            world.faults = faults if time == 1 else 0
            while not world.queue.messages and watch not in world.events:
                take_up(world)
        world.come_to_rest()
        check_promise(world)
        # Where the count of one comes late, the training may have ended before the third.
        assert world.outcome(watch) in (("abandoned", "succeeded") if faults else ("abandoned",))

    explored(scenario)


def ask_again(world: World) -> None:
    world.clock.advance(1)
    world.enqueue()


def let_pass(world: World, seconds: float) -> None:
    """Deliver what becomes visible within so many seconds."""
    until = world.clock() + timedelta(seconds=seconds)
    while world.queue.messages and (world.queue.messages[0].next_visible_on or until) <= until:
        world.deliver(world.receive())
    world.clock.advance_to(until)


def take_up(world: World) -> None:
    """Let the poison function and the timer run once each, when they are due."""
    for message in world.poison_queue.messages[:1]:
        assert message.next_visible_on is not None
        world.clock.advance_to(message.next_visible_on)
        received = world.poison_queue.receive_message(visibility_timeout=LEASE_SECONDS)
        assert received is not None
        world.deliver(received, world.poison_queue)
    world.clock.advance(60)
    world.run_timer()


@with_and_without_timer
def test_two_messages_of_one_watch_soon_are_one_again(explored: Explored, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, with_timer=with_timer)
        at_step(world, 0, LONG_SECONDS)
        let_pass(world, 30)
        world.faults = 0
        let_pass(world, 2 * LEASE_SECONDS)
        assert len(world.queue.messages) == 1, "two chains go on"
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 50


def test_a_newer_request_takes_a_watch_over(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        older = at_step(world, 2, LONG_SECONDS)
        world.clock.advance(1)
        newer = world.enqueue()
        world.come_to_rest()
        check_promise(world)
        assert world.outcome(older) == "superseded", "a superseded watch goes on"
        assert world.outcome(newer) == "succeeded"

    assert explored(scenario) > 50


def test_faults_are_all_explored(explored: Explored, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[Fault] = set()

    def noting(fault: Fault, call: Callable[[], object], *, of_service: bool) -> object:
        seen.add(fault)
        return outside_calls.go_wrong(fault, call, of_service=of_service)

    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        at_step(world, 0, 0)
        world.come_to_rest()

    monkeypatch.setattr("tests.unit.protocol.world.go_wrong", noting)
    explored(scenario)
    assert seen == set(Fault)
