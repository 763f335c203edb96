"""Say in which state a world is: all that its future depends on, and nothing else."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from tests.unit.protocol.actors import Actor, etag_in

if TYPE_CHECKING:
    from tests.unit.protocol.world import World


def state_of(world: "World", actors: Sequence[Actor]) -> Hashable:
    """Return a world's state.

    ETags, pop receipts and tokens matter only while somebody who runs may hold them.
    """
    rows = world.table.rows
    held = {actor.token for actor in actors}
    row_of = {etag_in(etag): (row["PartitionKey"], row["RowKey"]) for row, etag in rows} if actors else {}
    messages = tuple(
        (each.id, each.content, each.next_visible_on, each.dequeue_count, each.pop_receipt if actors else "")
        for queue in (world.queue, world.poison_queue)
        for each in queue.messages
    )
    return hash(
        (
            world.clock(),
            (world.faults, len(world.disturbances), world.later_slots, len(world.spent)),
            tuple(world.requests),
            tuple(_content(world, row, held) for row, _ in rows),
            messages,
            frozenset(event for contents in world.results.events.values() for event in contents),
            tuple(each.created for group in world.service.trainings.values() for each in group),
            tuple(world.moments.train_calls.items()),
            tuple(actor.state(row_of) for actor in actors),
        )
    )


def _content(world: "World", row: dict[str, Any], held: set[str]) -> Hashable:
    token = row.get("stepToken")
    if token is None:
        return tuple(row.items())
    mine = world.moments.tokens.get(token) if token in held else ""
    return tuple((name, mine if name == "stepToken" else value) for name, value in row.items())
