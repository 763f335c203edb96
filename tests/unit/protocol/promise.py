"""Hold a world against the promise: one true event for each request, and nothing left behind."""

import json

from shared.face.timestamps import format_utc
from tests.unit.protocol.world import World


def check_promise(world: World) -> None:
    """Raise AssertionError where a world that has come to rest breaks the promise."""
    events = world.events
    for request in world.requests:
        assert request in events, f"no event of {request} arrived"
    for watch_id, contents in events.items():
        assert len(contents) == 1, f"{watch_id} was told in {len(contents)} ways"
    assert not world.queue.messages, "a message is left"
    for row in world.table.query_entities("state eq @watching or owed eq true", parameters={"watching": "watching"}):
        raise AssertionError(f"{row['RowKey']} is left {row['state']}, owed: {row['owed']}")
    for watch_id in events:
        _check_truth(world, watch_id)


def _check_truth(world: World, watch_id: str) -> None:
    (content,) = world.events[watch_id]
    data = json.loads(content)["data"]
    if data["outcome"] == "superseded":
        assert data["supersededBy"] > watch_id
        assert data["supersededBy"] in world.events, "superseded by a watch that never was"
    elif data["outcome"] == "succeeded":
        trainings = world.service.trainings[data["groupId"]]
        assert data["training"]["createdDateTime"] in {format_utc(each.created) for each in trainings}
