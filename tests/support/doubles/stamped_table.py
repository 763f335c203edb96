"""Keep rows in memory whose ETags tell the time of their writing, as those of Azure Table storage do."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode


class StampedTable:
    """Hold rows by partition and row key.

    ``time`` returns the storage's time in seconds since 1970; ``before`` and ``after`` are called around each
    operation: they may take time, or raise.
    """

    def __init__(
        self,
        time: Callable[[], float],
        *,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self.rows: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self.reads = self.writes = self.lost_races = 0
        self.before, self.after = before, after
        self._time = time

    def create_entity(self, entity: Mapping[str, Any]) -> dict[str, str]:
        self.before()
        if _key(entity) in self.rows:
            self._lose_race()
            raise ResourceExistsError("EntityAlreadyExists")
        return self._write(entity)

    def get_entity(self, partition_key: str, row_key: str) -> TableEntity:
        self.before()
        self.reads += 1
        if (partition_key, row_key) not in self.rows:
            self.after()
            raise ResourceNotFoundError("ResourceNotFound")
        row, etag = self.rows[partition_key, row_key]
        entity = TableEntity(row)
        entity._metadata = {"etag": etag, "timestamp": None}  # noqa: SLF001 - the client sets it so too
        self.after()
        return entity

    def update_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode, *, etag: str, match_condition: MatchConditions
    ) -> dict[str, str]:
        assert mode is UpdateMode.REPLACE
        assert match_condition is MatchConditions.IfNotModified
        self.before()
        if _key(entity) not in self.rows:
            raise ResourceNotFoundError("ResourceNotFound")
        if self.rows[_key(entity)][1] != etag:
            self._lose_race()
            raise ResourceModifiedError("UpdateConditionNotSatisfied")
        return self._write(entity)

    def _write(self, entity: Mapping[str, Any]) -> dict[str, str]:
        self.writes += 1
        # More digits keep the ETags of one microsecond apart.
        stamp = datetime.fromtimestamp(self._time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{self.writes}Z"
        etag = f"W/\"datetime'{quote(stamp, safe='')}'\""
        self.rows[_key(entity)] = (dict(entity), etag)
        self.after()
        return {"etag": etag}

    def _lose_race(self) -> None:
        self.lost_races += 1
        self.after()


def _key(entity: Mapping[str, Any]) -> tuple[str, str]:
    return entity["PartitionKey"], entity["RowKey"]
