"""``/api/groups/{kind}/{groupId}``, ``/api/watches`` and ``/api/ended``: what is watched, and what has ended."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from azure.core.exceptions import HttpResponseError

from shared.api.groups import read_group
from shared.api.paging import Paging, invalid_continuation, page, read_paging
from shared.api.responses import Problem, Query, Response, polled
from shared.face.timestamps import format_utc, instant_of
from shared.training import schedule
from shared.training.history import Continuation, EndedEntry, History, Page
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
        told = self.history.newest_told(group, MAX_ENDED)
        # One that moves from owed to told meanwhile is in both.
        ended = list({each.request_id: each for each in (*record.owed, *told)}.values())[:MAX_ENDED]
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
            "expectedEndAt": _text(_expected_end(watch)),
            "pastDurations": watch.past_durations,
            "open": [_open(each) for each in record.open],
            "ended": [msgspec.Raw(each.event) for each in ended if each.event is not None],
        }
        return polled(query, content)

    def live(self, query: Query) -> Response:
        """Return a page of what is being watched."""
        paging = read_paging(query)
        found = _listed(paging, self.history.live)
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
        found = _listed(paging, partial(self.history.ended, day, outcome))
        return polled(query, page(query, [_ended(each) for each in found.items], paging, found.continuation))


def _listed[Item](paging: Paging, read: Callable[[int, Continuation | None], Page[Item]]) -> Page[Item]:
    """Return a page, where its continuation is one that the table service knows."""
    try:
        return read(paging.top, paging.continuation)
    except HttpResponseError as error:
        if paging.continuation is None or error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        raise invalid_continuation() from None


def _expected_end(watch: Watch) -> datetime | None:
    """Return when the training under way has ended with a probability of one half, as the last poll left it.

    ``None`` where no training is under way. Between two polls it stays the same, and so does the ETag.
    """
    training, seen_at = watch.training, watch.seen_at
    if not watch.live or training is None or training.ended or training.created is None or seen_at is None:
        return None
    age = max(0.0, instant_of(seen_at).seconds_since(training.created))
    return seen_at + timedelta(seconds=schedule.expected_end(watch.past_durations, age))


def _open(request: RequestRecord) -> dict[str, Any]:
    return {
        "requestId": request.request_id,
        "insertedAt": format_utc(request.inserted_at),
        "trainedAfter": request.trained_after,
        "train": request.train,
        "correlationId": request.correlation_id,
    }


def _ended(entry: EndedEntry) -> dict[str, Any]:
    group = entry.key.group
    return {
        "time": entry.key.time,
        "kind": None if group is None else group.kind.value,
        "groupId": None if group is None else group.group_id,
        "requestId": entry.key.request_id,
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
