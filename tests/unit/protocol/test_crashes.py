"""Every request ends with exactly one true event, whatever its outside calls do."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import pytest

from shared.face.errors import BadRequest, FaceError, ServerFault, Throttled, Unauthorized, UndocumentedNotFound
from tests.unit.protocol.conftest import Explored
from tests.unit.protocol.disturbances import ask_again, ask_for_training, begin_training, let_pass, recover
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.faults import Fault
from tests.unit.protocol.promise import check_one_chain, check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, POLICY, World

pytestmark = pytest.mark.exhaustive

LONG_SECONDS = 3000
"""Longer than a lease, and shorter than a request's timeout."""

with_and_without_timer = pytest.mark.parametrize("with_timer", [True, False], ids=["timer", "no timer"])
without_and_with_a_fault = pytest.mark.parametrize("faults", [0, 1])


@with_and_without_timer
def test_a_request_survives_two_faults_of_any_calls(explored: Explored, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=2, with_timer=with_timer)
        world.service.begin(GROUP, 2.5)
        request = world.enqueue()
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) == "succeeded"

    assert explored(scenario) > 500


@with_and_without_timer
@pytest.mark.parametrize("earlier_training", [True, False], ids=["trained before", "never trained"])
def test_a_training_is_started_once_and_its_own_end_is_told(
    explored: Explored, earlier_training: bool, with_timer: bool
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, with_timer=with_timer)
        world.service.add_group(GROUP)
        if earlier_training:
            world.service.begin(GROUP, seconds=0)
            world.clock.advance(5)
        request = world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) == "succeeded"
        assert len(world.service.trainings[GROUP]) == 1 + earlier_training, "not started once"

    assert explored(scenario) > 50


@with_and_without_timer
@pytest.mark.parametrize("seconds", [0, 2.5], ids=["ended", "running"])
def test_each_of_three_requests_gets_its_own_end(explored: Explored, seconds: float, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, with_timer=with_timer)
        world.service.begin(GROUP, seconds)
        world.clock.advance(1)
        plain = world.enqueue()
        later = world.enqueue(trained_after=world.clock())
        train = world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)
        assert [world.results.outcome(each) for each in (plain, later, train)] == ["succeeded"] * 3
        first, second = world.service.trainings[GROUP]
        assert world.told_training(later) is world.told_training(train) is second
        # Where a handler dies with the end that it saw, the training that the app starts may come before the next poll.
        assert world.told_training(plain) is first or world.spent

    assert explored(scenario) > 100


@pytest.mark.parametrize(
    ("disturb", "faults"),
    [(ask_again, 0), (ask_for_training, 0), (begin_training, 0), (ask_for_training, 1), (begin_training, 1)],
)
def test_others_ask_and_train_at_any_point(explored: Explored, disturb: Callable[[World], None], faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=faults, disturbances=[disturb])
        world.service.begin(GROUP, 2.5)
        if not faults:
            world.enqueue()
        world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 5


@without_and_with_a_fault
def test_a_cancel_at_any_point_ends_the_request_one_way_or_the_other(explored: Explored, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=faults)
        world.service.begin(GROUP, 2.5)
        request, other = world.enqueue(), world.enqueue()
        world.disturbances = [lambda world: world.cancel(request)]
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) in ("succeeded", "cancelled")
        assert world.results.outcome(other) == "succeeded"

    assert explored(scenario) > 5


@without_and_with_a_fault
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_a_purge_at_any_point_only_delays(explored: Explored, train: bool, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, 2.5)
        request = world.enqueue(train=train)
        world.deliver(world.receive())
        world.faults, world.disturbances = faults, [World.purge]
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) == "succeeded"

    assert explored(scenario) > 5


@with_and_without_timer
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_slots_may_be_given_later(explored: Explored, train: bool, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, later_slots=1, with_timer=with_timer)
        world.service.begin(GROUP, 2.5)
        world.enqueue(train=train)
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 50


@pytest.mark.parametrize("seconds", [15, 25, 90])
def test_any_call_may_take_long(explored: Explored, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, disturbances=[let_pass(seconds)] * 2)
        world.service.begin(GROUP, 0)
        world.clock.advance(1)
        world.enqueue()
        world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)
        assert len(world.service.trainings[GROUP]) == 2

    assert explored(scenario) > 10


@pytest.mark.parametrize("seconds", [-90, 90])
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_the_clocks_of_handlers_and_timer_may_disagree(explored: Explored, train: bool, seconds: float) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, ahead=seconds)
        world.service.begin(GROUP, 0 if train else 2.5)
        world.clock.advance(1)
        request = world.enqueue(train=train)
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) == "succeeded"

    assert explored(scenario) > 50


def test_queries_may_begin_with_empty_pages(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        world.table.empty_pages = 2
        world.service.begin(GROUP, 2.5)
        world.enqueue()
        world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 100


TROUBLES = {
    "server fault": (ServerFault("out of order", status=503), "succeeded"),
    "throttled": (Throttled("slower", status=429, wait=90.0), "succeeded"),
    "refused": (Unauthorized("no role", status=403), "succeeded"),
    "gateway": (UndocumentedNotFound("who knows", status=404), "succeeded"),
    "bad request": (BadRequest("never", status=400, code="BadArgument"), "rejected"),
}


@pytest.mark.parametrize(("trouble", "outcome"), TROUBLES.values(), ids=TROUBLES.keys())
@pytest.mark.parametrize("of_train", [False, True], ids=["polls", "train calls"])
def test_troubles_of_the_service_only_delay(
    explored: Explored, trouble: FaceError, outcome: str, of_train: bool
) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, disturbances=[recover])
        world.service.begin(GROUP, 0)
        world.clock.advance(1)
        if of_train:
            world.service.train_trouble = trouble
        else:
            world.service.trouble = trouble
        request = world.enqueue(train=True)
        world.come_to_rest(until=world.clock() + timedelta(seconds=200))
        recover(world)
        world.disturbances.clear()
        world.service.train_trouble = None
        known = isinstance(trouble, BadRequest)
        world.come_to_rest()
        check_promise(world, may_be_rejected=known, may_train_again=of_train)
        assert world.results.outcome(request) in ("succeeded", outcome)

    assert explored(scenario) > 5


@without_and_with_a_fault
@pytest.mark.parametrize("is_there", [True, False], ids=["never trained", "missing"])
def test_a_missing_group_is_given_its_grace_time(explored: Explored, is_there: bool, faults: int) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=faults, disturbances=[] if faults else [begin_training])
        if is_there:
            world.service.add_group(GROUP)
        request = world.enqueue()
        world.come_to_rest()
        check_promise(world)
        missing = "notTrained" if is_there else "notFound"
        assert world.results.outcome(request) in (missing, "succeeded")

    assert explored(scenario) > 10


def test_a_request_whose_training_never_ends_is_given_up_at_its_deadline(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, policy=msgspec.structs.replace(POLICY, timeout=90))
        world.service.begin(GROUP, 1e6)
        first = world.enqueue()
        world.clock.advance(5)
        second = world.enqueue(train=True)
        world.come_to_rest()
        check_promise(world)
        assert [world.results.outcome(each) for each in (first, second)] == ["timedOut"] * 2

    assert explored(scenario) > 100


@with_and_without_timer
@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_two_chains_of_polls_soon_are_one_again(explored: Explored, train: bool, with_timer: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1, with_timer=with_timer)
        world.service.begin(GROUP, LONG_SECONDS)
        world.enqueue()
        world.enqueue(train=train)
        world.come_to_rest(until=world.clock() + timedelta(seconds=30))
        world.faults = 0
        world.come_to_rest(until=world.clock() + timedelta(seconds=2 * LEASE_SECONDS))
        check_one_chain(world)
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 100


PARTS: Sequence[str] = ("table", "queue", "results")


@pytest.mark.parametrize("part", PARTS)
def test_an_outage_of_the_storage_ends_in_an_event(explored: Explored, part: str) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, 2.5)
        world.enqueue()
        world.outage = getattr(world, part)
        deliveries = (1, 4, 5)[schedule.choose(3)]
        while world.queue.messages and (world.queue.messages[0].dequeue_count or 0) < deliveries:
            world.deliver(world.receive())
        world.outage = None
        world.faults = 1
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 50


def test_faults_are_all_explored(explored: Explored) -> None:
    seen: set[Fault] = set()

    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        world.service.begin(GROUP, 2.5)
        world.enqueue()
        try:
            world.come_to_rest()
        finally:
            seen.update(world.spent)

    explored(scenario)
    assert seen == set(Fault)
