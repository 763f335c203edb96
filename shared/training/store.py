"""Keep the records of watches in a table, each write on the ETag that was read."""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, UpdateMode

from shared.face.models import GroupKind, Training
from shared.training.record import State, Watch

log = logging.getLogger(__name__)


class LostRace(Exception):
    """Somebody else has written the record since it was read: read it again, and go by what it says now."""


def repeat_lost_races(work: Callable[[], None]) -> None:
    """Do some work again, from its reading on, each time that it loses a race.

    Raises:
        LostRace: at the fifth; each one means that somebody else got on, so a few are enough.
    """
    for _ in range(4):
        try:
            return work()
        except LostRace:
            continue
    return work()


class WatchStore:
    """Read and write the table ``trainingwatches``: partition ``<kind>:<groupId>``, row ``watchId``.

    Every method raises ``azure.core.exceptions.AzureError`` where the table cannot be used.
    """

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def read_from(self, kind: GroupKind, group_id: str, watch_id: str) -> list[Watch]:
        """Return a group's watches from the given one on, oldest first; that one leads where it is on record."""
        rows = self._table.query_entities(
            "PartitionKey eq @partition and RowKey ge @row",
            parameters={"partition": _partition(kind, group_id), "row": watch_id},
        )
        return [_watch(row) for row in rows]

    def create(self, watch: Watch) -> Watch:
        """Put a new watch on record.

        Raises:
            LostRace: where it is on record already.
        """
        row = _row(watch)
        try:
            answer = self._table.create_entity(row)
        except ResourceExistsError:
            return self._own_write(watch, row)
        return msgspec.structs.replace(watch, etag=answer["etag"])

    def replace(self, watch: Watch) -> Watch:
        """Write a watch over the record that it was read from.

        Raises:
            LostRace: where the record has changed since, or is gone.
        """
        row = _row(watch)
        try:
            answer = self._table.update_entity(
                row, mode=UpdateMode.REPLACE, etag=watch.etag, match_condition=MatchConditions.IfNotModified
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return self._own_write(watch, row)
        return msgspec.structs.replace(watch, etag=answer["etag"])

    def overdue(self, before: datetime, limit: int) -> Iterator[Watch]:
        """Return at most ``limit`` watches that go on, or still owe their event, and whose time came ``before``."""
        rows = self._table.query_entities(
            "(state eq @watching or owed eq true) and nextLookAt lt @before",
            parameters={"watching": State.WATCHING.value, "before": before},
        )
        return _readable(islice(rows, limit))

    def ended(self, before: datetime, limit: int) -> Iterator[Watch]:
        """Return at most ``limit`` watches that ended ``before`` and owe nothing."""
        rows = self._table.query_entities(
            "state eq @ended and owed eq false and endedAt lt @before",
            parameters={"ended": State.ENDED.value, "before": before},
        )
        return _readable(islice(rows, limit))

    def remove(self, watch: Watch) -> None:
        """Take a watch off the record, unless somebody has written it since or removed it already."""
        try:
            self._table.delete_entity(
                _partition(watch.kind, watch.group_id),
                watch.watch_id,
                etag=watch.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except ResourceModifiedError:
            return

    def _own_write(self, watch: Watch, row: Mapping[str, Any]) -> Watch:
        """Tell a lost race from a write of our own whose answer was lost and whose repetition was refused."""
        try:
            found = self._table.get_entity(row["PartitionKey"], row["RowKey"])
        except ResourceNotFoundError:
            raise LostRace from None
        if found.get("writeToken") != row["writeToken"]:
            raise LostRace
        return msgspec.structs.replace(watch, etag=found.metadata["etag"])


def _partition(kind: GroupKind, group_id: str) -> str:
    return f"{kind.value}:{group_id}"


def _row(watch: Watch) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(watch, builtin_types=(datetime,))
    # Filters compare only what is there, and an absent property equals nothing.
    row["owed"] = watch.owed
    row.pop("etag", None)
    if watch.training is not None:
        row["training"] = msgspec.json.encode(watch.training).decode()
    row["PartitionKey"] = _partition(watch.kind, watch.group_id)
    row["RowKey"] = watch.watch_id
    row["writeToken"] = uuid.uuid4().hex
    return row


def _watch(row: Any) -> Watch:
    training = row.get("training")
    fields = {
        **{name: _plain(value) for name, value in row.items()},
        "training": None if training is None else msgspec.json.decode(training, type=Training),
        "etag": row.metadata["etag"],
    }
    return msgspec.convert(fields, Watch)


def _plain(value: Any) -> Any:
    # The SDK reads times as a kind of its own, which msgspec does not take.
    return datetime.combine(value.date(), value.timetz()) if isinstance(value, datetime) else value


def _readable(rows: Iterable[Any]) -> Iterator[Watch]:
    for row in rows:
        try:
            yield _watch(row)
        except ValueError:
            # One row that somebody wrote by hand must not keep the timer from all others.
            log.exception("a row of the watch table cannot be read")
