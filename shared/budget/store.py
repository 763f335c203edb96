"""Keep the budget's row in the table, each write on the ETag that was read."""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.budget.row import BudgetRow, is_plausible

PARTITION = "budget"

_STAMP = re.compile(r"datetime'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6})\d*Z'")

log = logging.getLogger(__name__)


class LostRace(Exception):
    """Another process has written the row since it was read: read it again."""


class Stored(msgspec.Struct, frozen=True):
    """The row as it was read."""

    row: BudgetRow
    etag: str | None  # None: there is no row yet


class BudgetStore:
    """Read and write one resource's row; may be shared by threads.

    Every method raises ``azure.core.exceptions.AzureError`` where the table cannot be used.
    """

    def __init__(self, table: TableClient, host: str) -> None:
        self._table = table
        self._host = host

    def read(self, now: datetime) -> Stored:
        """Return the row: a new one where there is none, or where what is there cannot be of our own writing."""
        try:
            entity = self._table.get_entity(PARTITION, self._host)
        except ResourceNotFoundError:
            return Stored(BudgetRow(next_turn=now), None)
        etag = entity.metadata["etag"]
        try:
            row = msgspec.convert({name: _plain(value) for name, value in entity.items()}, BudgetRow)
        except msgspec.ValidationError as error:
            return self._replacement(now, etag, type(error).__name__)
        if not is_plausible(row, now):
            return self._replacement(now, etag, "a time in it is too far away")
        return Stored(row, etag)

    def write(self, row: BudgetRow, etag: str | None) -> str:
        """Write the row over the one that was read, and return its new ETag.

        Raises:
            LostRace: where the row has changed since, or is gone.
        """
        entity: dict[str, Any] = msgspec.to_builtins(row, builtin_types=(datetime,))
        entity |= {"PartitionKey": PARTITION, "RowKey": self._host}
        try:
            return str(self._write(entity, etag)["etag"])
        except (ResourceExistsError, ResourceModifiedError):
            raise LostRace from None

    def _write(self, entity: Mapping[str, Any], etag: str | None) -> Mapping[str, Any]:
        if etag is None:
            return self._table.create_entity(entity)
        try:
            return self._table.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        except ResourceNotFoundError:
            raise LostRace from None

    def _replacement(self, now: datetime, etag: str | None, reason: str) -> Stored:
        log.error("the row %s/%s of the table is damaged and is replaced: %s", PARTITION, self._host, reason)
        return Stored(BudgetRow(next_turn=now), etag)


def stamp_of(etag: str) -> datetime | None:
    """Return the storage's time of a write, which is its row's ``Timestamp`` and stands in its ETag.

    ``W/"datetime'2026-11-20T10%3A00%3A00.1234567Z'"``; None where an ETag has another form.
    """
    found = _STAMP.search(unquote(etag))
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None


def _plain(value: Any) -> Any:
    # The SDK reads times as a kind of its own, which msgspec does not take.
    return datetime.combine(value.date(), value.timetz()) if isinstance(value, datetime) else value
