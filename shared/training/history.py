"""Read what people and programs ask of the record: live groups, a group's history, and what ended on a day."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

import msgspec
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient

from shared.face.timestamps import format_utc
from shared.training import rows
from shared.training.events import is_event
from shared.training.messages import Group
from shared.training.record import RequestRecord
from shared.training.rows import ENDED, LIVE, OWED, TOLD

type Continuation = dict[str, str | None]
"""Where the next page of a query begins, as the table service names it."""


class Page[Item](msgspec.Struct, frozen=True):
    """One page of a listing."""

    items: list[Item]
    continuation: Continuation | None  # ``None`` at the end


class LiveEntry(msgspec.Struct, frozen=True):
    """A group that is being watched."""

    group: Group
    next_poll_at: datetime  # UTC


class EndedEntry(msgspec.Struct, frozen=True):
    """A request, or a body that was not one, that ended on a day."""

    key: rows.EndedKey  # when, and which
    outcome: str
    event: bytes | None  # only of such a body; others have theirs with the group


class History:
    """The table ``trainingwatches``, as it is read by others than the watch; may be shared by threads.

    Every method raises ``azure.core.exceptions.AzureError`` where the table cannot be used.
    """

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def ended_request(self, group: Group, request_id: str) -> RequestRecord | None:
        """Return a request that has ended, ``None`` where there is none of that ID, or it cannot be read."""
        # It may be told between the first two readings.
        for state in (TOLD, OWED, TOLD):
            with suppress(ResourceNotFoundError):
                row = self._table.get_entity(rows.partition_of(group), rows.request_key(request_id, state))
                return next(_readable([row]), None)
        return None

    def newest_told(self, group: Group, limit: int) -> list[RequestRecord]:
        """Return the newest requests of a group whose events were sent, by the time of their messages."""
        found = self._table.query_entities(
            "PartitionKey eq @partition and RowKey ge @first",
            parameters={"partition": rows.partition_of(group), "first": TOLD},
            results_per_page=limit,
        )
        return list(islice(_readable(found), limit))

    def live(self, top: int, continuation: Continuation | None) -> Page[LiveEntry]:
        """Return a page of the groups that are being watched, by their keys."""
        found, following = self._page("PartitionKey eq @live", {"live": LIVE}, top, continuation)
        return Page([entry for row in found if (entry := _live_entry(row)) is not None], following)

    def ended(self, day: str, outcome: str | None, top: int, continuation: Continuation | None) -> Page[EndedEntry]:
        """Return a page of what ended on a day (``2026-11-24``, UTC), oldest first; of one outcome where it is named.

        A page may hold less than ``top`` and still not be the last.
        """
        query, parameters = "PartitionKey eq @day", {"day": f"{ENDED}{day}"}
        if outcome is not None:
            query, parameters = f"{query} and outcome eq @outcome", {**parameters, "outcome": outcome}
        found, following = self._page(query, parameters, top, continuation)
        return Page([_ended_entry(row) for row in found], following)

    def ended_since(self, since: datetime, until: datetime) -> Iterator[EndedEntry]:
        """Yield what ended from one moment to another, UTC, oldest first."""
        day = since
        while day.date() <= until.date():
            found = self._table.query_entities(
                "PartitionKey eq @day and RowKey ge @since",
                parameters={"day": rows.day_partition(day), "since": format_utc(since)},
            )
            yield from map(_ended_entry, found)
            day += timedelta(days=1)

    def event(self, entry: EndedEntry) -> bytes | None:
        """Return the event of what ended, ``None`` where its record is gone or cannot be read."""
        if entry.event is not None or entry.key.group is None:
            return entry.event
        ended = self.ended_request(entry.key.group, entry.key.request_id)
        return None if ended is None else ended.event

    def _page(
        self, query: str, parameters: dict[str, Any], top: int, continuation: Continuation | None
    ) -> tuple[list[Any], Continuation | None]:
        found_pages = self._table.query_entities(query, parameters=parameters, results_per_page=top)
        # The SDK takes and gives a dictionary here, though it says text.
        pages = found_pages.by_page(cast("str | None", continuation))
        found = list(next(pages, iter(())))
        following: Continuation | None = getattr(pages, "continuation_token", None)
        return found, following


def _readable(found: Iterable[Any]) -> Iterator[RequestRecord]:
    for row in found:
        try:
            yield rows.read_request(row)
        except (ValueError, TypeError):
            continue


def _live_entry(row: Any) -> LiveEntry | None:
    next_poll_at = row.get("nextPollAt")
    try:
        group = rows.group_of(str(row["RowKey"]))
    except ValueError:
        return None
    return LiveEntry(group, next_poll_at) if isinstance(next_poll_at, datetime) else None


def _ended_entry(row: Any) -> EndedEntry:
    event = row.get("event")
    key = rows.read_ended_key(str(row["RowKey"]))
    is_told = isinstance(event, bytes) and is_event(event, key.request_id)
    return EndedEntry(key, str(row.get("outcome")), event if is_told else None)
