"""A row that cannot be read stops nobody else, and its own request as little as can be."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.protocol.conftest import Explored
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, KIND, World

pytestmark = pytest.mark.exhaustive

PARTITION = f"{KIND.value}:{GROUP}"
SPOILED = "20261120T095900Z-spoiled"


def spoil(world: World, row_key: str, partition: str = PARTITION, **properties: Any) -> None:
    """Write a row as somebody may by hand."""
    world.table.upsert_entity({"PartitionKey": partition, "RowKey": row_key, **properties}, mode="replace")


def spoil_watch(world: World) -> None:
    spoil(world, "!watch", live="perhaps", step="seven", claim="{")


def spoil_open(world: World) -> None:
    spoil(world, f"open!{SPOILED}", train="certainly", insertedAt=7)
    world.planted.add(SPOILED)


def spoil_live(world: World) -> None:
    spoil(world, PARTITION, "live", nextPollAt="soon", weight="heavy")


def spoil_other_live(world: World) -> None:
    spoil(world, "no group at all", "live", nextPollAt=1)


def spoil_told(world: World) -> None:
    spoil(world, "told!garbage", event=7)


def spoil_day(world: World) -> None:
    spoil(world, "garbage", "ended:2026-01-01", event=7)


@pytest.mark.parametrize(
    "plant",
    [spoil_watch, spoil_open, spoil_live, spoil_other_live, spoil_told, spoil_day],
    ids=lambda plant: plant.__name__,
)
def test_a_spoiled_row_stops_nobody(explored: Explored, plant: Callable[[World], None]) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule)
        world.service.begin(GROUP, 2.5)
        world.service.begin("other", 2.5)
        request, other = world.enqueue(), world.enqueue(group_id="other")
        for _ in range(2):
            world.deliver(world.receive())
        plant(world)
        world.faults = 1
        world.come_to_rest()
        assert world.results.outcome(other) == "succeeded"
        assert world.results.outcome(request) == "succeeded"
        assert not world.queue.messages
        assert all(len(contents) == 1 for contents in world.results.events.values())

    assert explored(scenario) > 20


def test_an_owed_row_that_cannot_be_read_is_kept(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, with_timer=False)
        world.service.begin(GROUP, 2.5)
        request = world.enqueue()
        world.deliver(world.receive())
        world.faults = 1
        spoil(world, f"owed!{SPOILED}", event="not bytes")
        world.come_to_rest()
        assert world.results.outcome(request) == "succeeded"
        assert SPOILED not in world.results.events
        assert any(row["RowKey"] == f"owed!{SPOILED}" for row, _ in world.table.rows)

    assert explored(scenario) > 20


def test_spoiled_rows_aside_the_promise_holds(explored: Explored) -> None:
    def scenario(schedule: Schedule) -> None:
        world = World(schedule, faults=1)
        world.service.begin(GROUP, 2.5)
        world.enqueue()
        world.deliver(world.receive())
        spoil_told(world)
        world.enqueue(train=True)
        world.come_to_rest()
        for row, _ in world.table.rows:
            if row["RowKey"] == "told!garbage":
                world.table.delete_entity(row["PartitionKey"], row["RowKey"])
        check_promise(world)

    assert explored(scenario) > 20
