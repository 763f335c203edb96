"""``/api/groups/{kind}/{groupId}``, ``/api/watches`` and ``/api/ended``: what is watched, and what has ended."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.api.groups import read_group
from shared.api.paging import page, read_paging
from shared.api.responses import Problem, Query, Response, polled
from shared.face.timestamps import format_utc, instant_of
from shared.training import schedule
from shared.training.history import EndedEntry, History
from shared.training.record import Outcome, RequestRecord, Watch
from shared.training.store import WatchStore

MAX_ENDED = 50


@dataclass(frozen=True)
class WatchesApi:
    """Answers what concerns watches. Methods raise ``Problem``, and ``AzureError`` where the storage fails."""

    store: WatchStore
    history: History
    clock: Callable[[], datetime]

    def group(self, query: Query, kind: str, group_id: str) -> Response:
        """Return a group's watch, its open requests, and the newest that have ended."""
        group = read_group(kind, group_id)
        record = self.store.read(group)
        ended = [*record.owed, *self.history.newest_told(group, MAX_ENDED)][:MAX_ENDED]
        if record.watch.etag is None and not ended:
            raise Problem(
                404,
                "Nothing on record",
                "the group was never watched, or its record is older than WATCH_RETENTION_DAYS",
            )
        watch = record.watch
        content = {
            "kind": group.kind.value,
            "groupId": group.group_id,
            "live": watch.live,
            "training": watch.training,
            "last": watch.last.value,
            "polls": watch.polls,
            "nextPollAt": _text(watch.next_poll_at),
            "expectedEndAt": _text(self._expected_end(watch)),
            "pastDurations": watch.past_durations,
            "open": [_open(each) for each in record.open],
            "ended": [msgspec.Raw(each.event) for each in ended if each.event is not None],
        }
        return polled(query, content)

    def live(self, query: Query) -> Response:
        """Return a page of what is being watched."""
        paging = read_paging(query)
        found = self.history.live(paging.top, paging.continuation)
        value = [
            {
                "kind": each.group.kind.value,
                "groupId": each.group.group_id,
                "nextPollAt": format_utc(each.next_poll_at),
            }
            for each in found.items
        ]
        return polled(query, page(query, value, paging, found.continuation))

    def ended(self, query: Query) -> Response:
        """Return a page of what ended on a day, today unless another is named."""
        day = query.parameters.get("day") or f"{self.clock():%Y-%m-%d}"
        if not _is_day(day):
            raise Problem(400, "Invalid parameter", f"day is {day[:40]!r}; expected a day such as 2026-11-24 (UTC)")
        outcome = query.parameters.get("outcome")
        if outcome is not None and outcome not in list(Outcome):
            expected = ", ".join(Outcome)
            raise Problem(400, "Invalid parameter", f"outcome is {outcome[:40]!r}; expected one of {expected}")
        paging = read_paging(query)
        found = self.history.ended(day, outcome, paging.top, paging.continuation)
        return polled(query, page(query, [_ended(each) for each in found.items], paging, found.continuation))

    def _expected_end(self, watch: Watch) -> datetime | None:
        """Return when the training that is under way will probably have ended; ``None`` where none is."""
        created = watch.training.created if watch.training is not None else None
        if not watch.live or watch.training is None or watch.training.ended or created is None:
            return None
        now = self.clock()
        age = max(0.0, instant_of(now).seconds_since(created))
        return now + timedelta(seconds=schedule.expected_end(watch.past_durations, age))


def _open(request: RequestRecord) -> dict[str, Any]:
    return {
        "requestId": request.request_id,
        "insertedAt": format_utc(request.inserted_at),
        "trainedAfter": request.trained_after,
        "train": request.train,
        "correlationId": request.correlation_id,
    }


def _ended(entry: EndedEntry) -> dict[str, Any]:
    return {
        "time": entry.time,
        "kind": None if entry.group is None else entry.group.kind.value,
        "groupId": None if entry.group is None else entry.group.group_id,
        "requestId": entry.request_id,
        "outcome": entry.outcome,
        "event": None if entry.event is None else msgspec.Raw(entry.event),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_utc(moment)


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return False
    try:
        datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True
