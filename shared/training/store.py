"""Keep the records of groups in a table, each change of state in one transaction on the watch's ETag.

Every method raises ``azure.core.exceptions.AzureError`` where the table cannot be used.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import batched
from typing import Any, NamedTuple

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.training import operations, readers, rows
from shared.training.messages import Group
from shared.training.operations import Operation
from shared.training.readers import LiveGroup
from shared.training.record import GroupRecord, RequestRecord, Watch
from shared.training.rows import ENDED, LIVE, OPEN, OWED, TOLD, WATCH_ROW, Row

log = logging.getLogger(__name__)

_MAX_OPERATIONS = 100
_MAX_MOVES = 40
"""Of at most 48 KiB each, so many events stay below the 4 MiB of a transaction, as Base64 too:
https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions."""


class LostRace(Exception):
    """Somebody else has written the record since it was read: read it again, and go by what it says now."""


class EndedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the index of a day: a request, or a rejected body, that ended then."""

    partition: str
    key: str

    @property
    def group(self) -> Group | None:
        """The group that it was a request for; ``None`` of a rejected body."""
        return rows.read_ended_key(self.key).group

    @property
    def request_id(self) -> str:
        """Its ID; of a rejected body, that of its event."""
        return rows.read_ended_key(self.key).request_id


class Written(NamedTuple):
    """What a write left in the table, with the new ETags."""

    watch: Watch
    open: list[RequestRecord]
    owed: list[RequestRecord]


class WatchStore:
    """The table ``trainingwatches``; may be shared by threads."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def read(self, group: Group) -> GroupRecord:
        """Return what is open or owed of a group, however long its history is.

        The watch is read before all else, so a write on its ETag fails where any of the rest has changed since.
        """
        found = self._table.query_entities(
            "PartitionKey eq @partition and RowKey lt @told",
            parameters={"partition": rows.partition_of(group), "told": TOLD.rstrip("!")},
        )
        watch = Watch()
        open_requests: list[RequestRecord] = []
        owed: list[RequestRecord] = []
        stuck: list[str] = []
        for row in found:
            key = str(row["RowKey"])
            if key == WATCH_ROW:
                watch = readers.read_watch(row)
            elif key.startswith(OPEN):
                open_requests.append(readers.read_open(row))
            elif key.startswith(OWED):
                record = readers.read_owed(row)
                if record is None:
                    stuck.append(key.removeprefix(OWED))
                else:
                    owed.append(record)
        return GroupRecord(group, watch, tuple(open_requests), tuple(owed), tuple(stuck))

    def is_told(self, group: Group, request_id: str) -> bool:
        """Return whether the event of a request was sent."""
        return self._exists(rows.partition_of(group), rows.told_key(request_id))

    def write(
        self,
        group: Group,
        watch: Watch,
        *,
        joins: Sequence[RequestRecord] = (),
        changes: Sequence[RequestRecord] = (),
        ends: Sequence[RequestRecord] = (),
    ) -> Written:
        """Write a watch over the one that was read, and its requests with it, all or nothing.

        ``joins`` come on record as open, ``changes`` replace open ones, ``ends`` turn owed.

        Raises:
            LostRace: where the watch, or one of these rows, has changed since.
        """
        written = self._transact(operations.write(group, watch, joins, changes, ends))
        etags = iter([each.get("etag") for each in written])
        watch = msgspec.structs.replace(watch, etag=next(etags))
        return Written(watch, _stamped((*joins, *changes), etags), _stamped(ends, etags))

    def note_told(self, group: Group, owed: Sequence[RequestRecord]) -> None:
        """List owed requests whose events were sent under their days, then move them to ``told``.

        One that somebody else has moved meanwhile is left alone.
        """
        self._list_ended(group, owed)
        self._note(owed, lambda each: operations.move_to_told(group, each))

    def note_queued(self, group: Group, owed: Sequence[RequestRecord]) -> None:
        """List owed requests whose events the results queue has taken, and the topic has not, then mark them.

        One that somebody else has marked or moved meanwhile is left alone.
        """
        self._list_ended(group, owed)
        self._note(owed, lambda each: [operations.mark_as_queued(group, each)])

    def note_rejected(self, event_id: str, ended_at: datetime, outcome: str, event: bytes) -> None:
        """List a body that was not a request, or that was given up, with its event, under its day."""
        row = {
            "PartitionKey": rows.day_partition(ended_at),
            "RowKey": rows.ended_key(ended_at, None, event_id),
            "outcome": outcome,
            "event": event,
        }
        self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    def upsert_live(self, group: Group, next_poll_at: datetime, weight: float, open_requests: int = 0) -> str:
        """Put a group into the index of the live ones; return the row's new ETag."""
        row = _live_row(group, next_poll_at, weight, open_requests)
        return str(self._table.upsert_entity(row, mode=UpdateMode.REPLACE)["etag"])

    def is_live(self, group: Group) -> bool:
        """Return whether a group is in the index of the live ones."""
        return self._exists(LIVE, rows.partition_of(group))

    def remove_live(self, group: Group, etag: str) -> None:
        """Take a group out of the index, unless somebody has put it there anew."""
        self._delete_unchanged(LIVE, rows.partition_of(group), etag)

    def postpone_live(self, live: LiveGroup, next_poll_at: datetime) -> None:
        """Set when an indexed group is due, unless somebody has done so since it was read."""
        row = _live_row(live.group, next_poll_at, live.weight, live.open_requests)
        with suppress(ResourceModifiedError, ResourceNotFoundError):
            self._table.update_entity(
                row, mode=UpdateMode.REPLACE, etag=live.etag, match_condition=MatchConditions.IfNotModified
            )

    def live(self) -> Iterator[LiveGroup]:
        """Yield the groups that have something open or owed, by their keys; pass over rows that cannot be read."""
        for row in self._table.query_entities("PartitionKey eq @live", parameters={"live": LIVE}):
            try:
                yield readers.read_live_group(row)
            except ValueError:
                log.error("a row of the index of live groups has no group's key")  # noqa: TRY400 - it stays out

    def ended_before(self, day: datetime) -> Iterator[EndedRequest]:
        """Yield what ended on earlier days (UTC), oldest first."""
        found = self._table.query_entities(
            "PartitionKey ge @first and PartitionKey lt @day",
            parameters={"first": ENDED, "day": rows.day_partition(day)},
            select=["PartitionKey", "RowKey"],
        )
        return (EndedRequest(partition=row["PartitionKey"], key=row["RowKey"]) for row in found)

    def remove_ended(self, ended: Sequence[EndedRequest]) -> None:
        """Remove requests that were told, watches that are left alone by that, and the rows in the days' index.

        The index goes last, since it alone reminds of the others.
        """
        for each in ended:
            if each.group is not None:
                self._table.delete_entity(rows.partition_of(each.group), rows.told_key(each.request_id))
        for group in dict.fromkeys(each.group for each in ended):
            if group is not None:
                self.remove_lonely_watch(group)
        for partition in dict.fromkeys(each.partition for each in ended):
            keys = [each.key for each in ended if each.partition == partition]
            for batch in batched(keys, _MAX_OPERATIONS, strict=False):
                self._delete_all(partition, batch)

    def remove_lonely_watch(self, group: Group) -> None:
        """Remove a watch that is alone in its partition, unless somebody writes it meanwhile."""
        partition = rows.partition_of(group)
        found = self._table.query_entities(
            "PartitionKey eq @partition",
            parameters={"partition": partition},
            select=["PartitionKey", "RowKey"],
            results_per_page=2,
        )
        left = [row for row, _ in zip(found, range(2), strict=False)]
        if len(left) == 1 and left[0]["RowKey"] == WATCH_ROW:
            self._delete_unchanged(partition, WATCH_ROW, left[0].metadata["etag"])

    def _exists(self, partition: str, key: str) -> bool:
        try:
            self._table.get_entity(partition, key, select=["RowKey"])
        except ResourceNotFoundError:
            return False
        return True

    def _delete_unchanged(self, partition: str, key: str, etag: str | None) -> None:
        """Delete a row, unless somebody has written or deleted it since it was read."""
        with suppress(ResourceModifiedError, ResourceNotFoundError):
            self._table.delete_entity(partition, key, etag=etag, match_condition=MatchConditions.IfNotModified)

    def _list_ended(self, group: Group, ended: Sequence[RequestRecord]) -> None:
        for day, listed in _by_day(ended).items():
            for batch in batched(listed, _MAX_OPERATIONS, strict=False):
                self._table.submit_transaction([("upsert", _ended_row(group, each, day)) for each in batch])

    def _note(self, owed: Sequence[RequestRecord], write: Callable[[RequestRecord], Sequence[Operation]]) -> None:
        """Write the operations of owed requests: many at once, and one by one where others have written some."""
        for batch in batched(owed, _MAX_MOVES, strict=False):
            try:
                self._transact([operation for each in batch for operation in write(each)])
            except LostRace:
                for each in batch:
                    with suppress(LostRace):
                        self._transact(write(each))

    def _delete_all(self, partition: str, keys: Sequence[str]) -> None:
        try:
            self._table.submit_transaction([("delete", {"PartitionKey": partition, "RowKey": key}) for key in keys])
        except TableTransactionError:
            # Another run of the timer has removed some of them.
            for key in keys:
                self._table.delete_entity(partition, key)

    def _transact(self, together: Sequence[Operation]) -> list[dict[str, Any]]:
        """Write all operations, or none; return what the service tells of each, the new ETag among it."""
        try:
            if len(together) == 1:
                return [self._write_alone(*together[0])]
            return [dict(each) for each in self._table.submit_transaction(list(together))]
        except (TableTransactionError, ResourceModifiedError, ResourceNotFoundError) as error:
            if getattr(error, "error_code", None) in _LOST_RACES:
                raise LostRace from None
            raise

    def _write_alone(self, verb: str, row: Row, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write one row without the envelope of a transaction, which costs as much again."""
        if verb == "create":
            try:
                return dict(self._table.create_entity(row))
            except ResourceExistsError:  # which the SDK raises without the service's code
                raise LostRace from None
        return dict(self._table.update_entity(row, **(options or {})))


_LOST_RACES = ("EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound")


def _live_row(group: Group, next_poll_at: datetime, weight: float, open_requests: int) -> Row:
    return {
        "PartitionKey": LIVE,
        "RowKey": rows.partition_of(group),
        "nextPollAt": next_poll_at,
        "weight": weight,
        "openRequests": open_requests,
    }


def _stamped(requests: Sequence[RequestRecord], etags: Iterator[str | None]) -> list[RequestRecord]:
    return [msgspec.structs.replace(each, etag=etag) for each, etag in zip(requests, etags, strict=False)]


def _by_day(owed: Iterable[RequestRecord]) -> dict[str, list[RequestRecord]]:
    days: dict[str, list[RequestRecord]] = {}
    for each in owed:
        if each.ended_at is not None:
            days.setdefault(rows.day_partition(each.ended_at), []).append(each)
    return days


def _ended_row(group: Group, ended: RequestRecord, partition: str) -> Row:
    assert ended.ended_at is not None and ended.outcome is not None  # noqa: S101, PT018 - owed rows have both
    key = rows.ended_key(ended.ended_at, group, ended.request_id)
    return {"PartitionKey": partition, "RowKey": key, "outcome": ended.outcome.value}
