"""The shortest histories, each under every schedule, for whoever changes the protocol and cannot wait for all."""

from functools import partial

import pytest

from tests.unit.protocol.conftest import Explored
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World


@pytest.mark.parametrize("train", [False, True], ids=["watched", "started"])
def test_a_request_survives_any_fault(explored: Explored, train: bool) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        world.service.begin(GROUP, 2.5)
        request = world.enqueue(train=train)
        world.come_to_rest()
        check_promise(world)
        assert world.results.outcome(request) == "succeeded"

    assert explored(scenario) > 50


def test_a_redelivered_request_is_the_same_request(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, 0)
        world.enqueue()
        first = world.receive()
        world.clock.advance(LEASE_SECONDS)
        second = world.receive()
        world.at_once(partial(world.deliver, first), partial(world.deliver, second))
        world.come_to_rest()
        check_promise(world)

    assert explored(scenario) > 50
