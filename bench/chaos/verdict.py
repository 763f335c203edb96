"""Judge the events that arrived against what the service knows of each training."""

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.face.timestamps import parse_instant

type Event = dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """Hold one request: its group, and the creation (RFC 3339) of a training that it must not tell of."""

    group: str
    stale: str | None = None


class Truth(msgspec.Struct, frozen=True):
    """Hold how a group's last training really ended, as the service says; times are RFC 3339."""

    outcome: str
    created: str
    ended: str


class Lateness(msgspec.Struct, frozen=True):
    """Tell how long after the trainings the watches ended, in seconds."""

    median: float
    p99: float
    worst: float


class Verdict(msgspec.Struct, frozen=True):
    """Count the requests, and those of their events that broke the promise."""

    requests: int
    lost: int
    contradicted: int
    wrong: int
    stale: int
    repeated: int
    late_seconds: Lateness

    @property
    def holds(self) -> bool:
        """Tell whether each request got its one true event."""
        return not (self.lost or self.contradicted or self.wrong or self.stale)


def judge(asked: Mapping[str, Asked], truths: Mapping[str, Truth], events: Sequence[Event]) -> Verdict:
    """Return the verdict on the events of requests (by message ID) and groups (by ``<kind>/<ID>``)."""
    by_message: dict[str, list[Event]] = {message_id: [] for message_id in asked}
    for event in events:
        by_message[event["id"].partition("Z-")[2]].append(event)
    contents = {
        message_id: {json.dumps(each, sort_keys=True) for each in found} for message_id, found in by_message.items()
    }
    told = {message_id: found[0] for message_id, found in by_message.items() if found}
    return Verdict(
        requests=len(asked),
        lost=sum(not found for found in contents.values()),
        contradicted=sum(len(found) > 1 for found in contents.values()),
        wrong=sum(_is_wrong(event, asked[message_id], truths, told) for message_id, event in told.items()),
        stale=sum(_is_stale(event, asked[message_id]) for message_id, event in told.items()),
        repeated=sum(len(found) - 1 for found in by_message.values() if found),
        late_seconds=_lateness(
            [_late(event) for event in told.values() if event["data"]["training"] and _ended(event)]
        ),
    )


def _is_wrong(event: Event, asked: Asked, truths: Mapping[str, Truth], told: Mapping[str, Event]) -> bool:
    if event["subject"] != asked.group:
        return True
    if event["data"]["outcome"] == "superseded":
        newer = event["data"]["supersededBy"]
        taken_over = told.get(newer.partition("Z-")[2])
        return taken_over is None or newer <= event["id"] or taken_over["subject"] != asked.group
    truth = truths[asked.group]
    if _is_stale(event, asked):
        return False  # counted as such
    return (event["data"]["outcome"], event["data"]["training"]["createdDateTime"]) != (truth.outcome, truth.created)


def _is_stale(event: Event, asked: Asked) -> bool:
    if asked.stale is None or not _ended(event):
        return False
    return parse_instant(event["data"]["training"]["createdDateTime"]) <= parse_instant(asked.stale)


def _ended(event: Event) -> bool:
    return event["data"]["outcome"] in ("succeeded", "failed")


def _late(event: Event) -> float:
    ended = datetime.fromisoformat(event["data"]["training"]["lastActionDateTime"])
    return (datetime.fromisoformat(event["time"]) - ended).total_seconds()


def _lateness(seconds: list[float]) -> Lateness:
    if not seconds:
        return Lateness(0, 0, 0)
    ordered = sorted(seconds)
    return Lateness(
        median=round(statistics.median(ordered), 1),
        p99=round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 1),
        worst=round(ordered[-1], 1),
    )
