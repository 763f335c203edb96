"""Hold a world that has come to rest against the promise: one true event for each request, and nothing left behind."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.support.doubles.service import ModelTraining
from tests.unit.protocol.record_of import Group, record_of
from tests.unit.protocol.world import KIND, Asked, World, to_millisecond

_TOLERANCE = timedelta(seconds=1)
"""Messages' times are whole seconds."""


def check_promise(world: World, *, may_be_rejected: bool = False, may_train_again: bool = False) -> None:
    """Raise AssertionError where a world that has come to rest breaks the promise.

    ``may_be_rejected``: the service has said that it will never take a call. ``may_train_again``: it has not taken
    a call that asked for a training, so that it was asked again.
    """
    for request_id, contents in world.results.events.items():
        assert len(contents) == 1, f"{request_id} was told in {len(contents)} ways"
    abandoned = {data["messageId"] for data in map(_data_of, _told(world)) if "messageId" in data}
    for request_id in world.requests:
        copies = world.moments.copies.get(request_id, [])
        assert request_id in world.results.events or abandoned & set(copies), f"no event of {request_id} arrived"
    assert not world.queue.messages, "a message is left"
    assert not world.poison_queue.messages, "a poisoned message is left"
    _check_record(world)
    if not may_train_again:
        _check_train_calls(world)
    for request_id, asked in world.requests.items():
        if request_id in world.results.events:
            _check_truth(world, request_id, asked)
            assert may_be_rejected or world.results.outcome(request_id) != "rejected", "a sound request is rejected"


def check_one_chain(world: World) -> None:
    """Raise AssertionError where a group's follow-up that counts is not the only one."""
    for partition, group in record_of(world.table).groups.items():
        follow_ups = [json.loads(each.content) for each in world.queue.messages if each.content.startswith("{")]
        current = [
            each
            for each in follow_ups
            if f"{each.get('kind')}:{each.get('groupId')}" == partition and each.get("step", -1) >= group.watch["step"]
        ]
        expected = 1 if group.watch["live"] else 0
        assert len(current) == expected, f"{len(current)} chains of polls go on"


def _told(world: World) -> list[str]:
    return [content for contents in world.results.events.values() for content in contents]


def _data_of(content: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(content)["data"]
    return data


def _check_record(world: World) -> None:
    record = record_of(world.table)
    days = [row["RowKey"] for row, _ in world.table.rows if row["PartitionKey"].startswith("ended:")]
    for partition, group in record.groups.items():
        assert not group.requests["open"], "a request is left open"
        assert not group.requests["owed"], "an event is left owed"
        kind, _, group_id = partition.partition(":")
        for request_id in group.requests["told"]:
            assert any(key.endswith(f"!{kind}!{group_id}!{request_id}") for key in days), "the day's list lacks an end"
    for request_id, asked in world.requests.items():
        if request_id in world.results.events:
            told = record.groups.get(f"{KIND.value}:{asked.group_id}", Group()).requests["told"]
            assert request_id in told, "what was told is not on record"
    if world.with_timer:
        assert not record.live, "a group is left in the index"


def _check_train_calls(world: World) -> None:
    for (_, standing), count in world.moments.train_calls.items():
        assert count <= 1 + len(world.spent), f"train was called {count} times where {standing} stood"


def _check_truth(world: World, request_id: str, asked: Asked) -> None:
    event = world.results.event(request_id)
    data, moment = event["data"], datetime.fromisoformat(event["time"])
    tolerance = _TOLERANCE + timedelta(seconds=abs(world.ahead))
    since = moment - asked.enqueued + tolerance
    match data["outcome"]:
        case "succeeded" | "failed":
            training = world.told_training(request_id)
            assert training.ends <= moment + tolerance, "told before it ended"
            assert (training.message is not None) == (data["outcome"] == "failed"), "told otherwise than it ended"
            _check_demands(world, request_id, asked, training)
        case "timedOut":
            assert since.total_seconds() >= world.policy.timeout, "given up too early"
        case "notFound" | "notTrained":
            assert asked.standing is None, "a group that was trained is told as missing"
            assert since.total_seconds() >= world.policy.grace, "without its grace time"
        case "cancelled":
            assert request_id in world.cancelled, "nobody has cancelled it"
        case "abandoned":
            assert request_id in world.planted, "a sound request is abandoned"


def _check_demands(world: World, request_id: str, asked: Asked, training: ModelTraining) -> None:
    if asked.trained_after is not None:
        assert training.created >= asked.trained_after, "the end of a training that is too old"
    if asked.standing is not None:
        assert training.created >= asked.standing.created, "an end from before the one that stood"
    if asked.train:
        row = record_of(world.table).groups[f"{KIND.value}:{asked.group_id}"].requests["told"][request_id]
        noted = row.get("notedCreated")
        assert row.get("noted"), "a training was told that was never looked for"
        assert noted is None or datetime.fromisoformat(noted) != to_millisecond(training.created), "the noted training"
        standing = asked.standing
        assert standing is None or standing.ends > asked.enqueued or training is not standing, "an end of long ago"
