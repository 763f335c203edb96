"""Judge the events that arrived against what the service knows of each training."""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.face.timestamps import parse_instant

type Event = dict[str, Any]


class Training(msgspec.Struct, frozen=True):
    """How a training really ended, as the service says."""

    outcome: str
    created: str  # RFC 3339


class Asked(msgspec.Struct, frozen=True):
    """One request."""

    group: str  # ``<kind>/<ID>``
    older: Training | None = None  # the training that stood when the request was sent, if it had ended
    older_counts: bool = False  # that one answers the request too
    cancelled: bool = False  # somebody asked to cancel it
    unreadable: bool = False  # its record was planted, and cannot be read


class Lateness(msgspec.Struct, frozen=True):
    """How old the trainings' ends were when they were seen, in seconds, by the service's clock."""

    median: float
    p99: float
    worst: float


class Verdict(msgspec.Struct, frozen=True):
    """How many requests there were, and how many of their events broke the promise."""

    requests: int
    lost: int  # no event
    contradicted: int  # events that differ
    wrong: int  # another end than the training's
    stale: int  # the end of a training that does not meet the request's demands
    repeated: int  # the same event once more, which is no fault
    cancelled: int  # ended as such
    late_seconds: Lateness

    @property
    def holds(self) -> bool:
        """Return whether each request got its one true event."""
        return not (self.lost or self.contradicted or self.wrong or self.stale)


def judge(asked: Mapping[str, Asked], newest: Mapping[str, Training], events: Sequence[Event]) -> Verdict:
    """Return the verdict on the events of requests (by message ID), given each group's newest training."""
    by_message: dict[str, list[Event]] = {message_id: [] for message_id in asked}
    for event in events:
        by_message.setdefault(message_of(event), []).append(event)
    told = {message_id: arrived[0] for message_id, arrived in by_message.items() if arrived}
    contents = [{json.dumps(each, sort_keys=True) for each in arrived} for arrived in by_message.values()]
    stale = {message_id for message_id, event in told.items() if _is_stale(event, asked.get(message_id))}
    wrong = {message_id for message_id, event in told.items() if not _is_true(event, asked.get(message_id), newest)}
    return Verdict(
        requests=len(asked),
        lost=sum(not by_message[message_id] for message_id in asked),
        contradicted=sum(len(each) > 1 for each in contents),
        wrong=len(wrong - stale),
        stale=len(stale),
        repeated=sum(len(arrived) - 1 for arrived in by_message.values() if arrived),
        cancelled=sum(event["data"]["outcome"] == "cancelled" for event in told.values()),
        late_seconds=_lateness([late for event in told.values() if (late := event["data"]["lateSeconds"]) is not None]),
    )


def message_of(event: Event) -> str:
    """Return the ID of the message that an event answers."""
    return str(event["id"].partition("Z-")[2])


def _is_true(event: Event, asked: Asked | None, newest: Mapping[str, Training]) -> bool:
    if asked is None or event["subject"] != asked.group:
        return False
    outcome = event["data"]["outcome"]
    if asked.unreadable:
        return bool(outcome == "abandoned")
    if outcome == "cancelled":
        return asked.cancelled
    if not _tells_a_training(event):
        return False
    answers = [newest[asked.group], *([asked.older] if asked.older_counts and asked.older else [])]
    return Training(outcome, event["data"]["training"]["createdDateTime"]) in answers


def _is_stale(event: Event, asked: Asked | None) -> bool:
    if asked is None or asked.older is None or asked.older_counts or not _tells_a_training(event):
        return False
    return parse_instant(event["data"]["training"]["createdDateTime"]) <= parse_instant(asked.older.created)


def _tells_a_training(event: Event) -> bool:
    return event["data"]["outcome"] in ("succeeded", "failed")


def _lateness(seconds: list[float]) -> Lateness:
    if not seconds:
        return Lateness(0, 0, 0)
    ordered = sorted(seconds)
    return Lateness(
        median=round(statistics.median(ordered), 1),
        p99=round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 1),
        worst=round(ordered[-1], 1),
    )
