"""A table that holds millions of rows, and counts the calls that are made of it and the rows that they read.

Azurite reads each row of a table for each query, so it is the limit long before the app is. This is the tests'
double, which is held to Azurite, with its rows indexed by partition.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure.data.tables import TableEntity

from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.odata import matcher
from tests.support.doubles.table import PAGE_ROWS, InMemoryTable, Token


class CountedTable(InMemoryTable):
    """A large table. ``calls`` counts its calls by their kind, ``rows_read`` the rows by what they are of."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._partitions: dict[str, list[str]] = {}
        self.calls: Counter[str] = Counter()
        self.rows_read: Counter[str] = Counter()

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put rows in, as if they had been written long ago."""
        for number, row in enumerate(rows):
            key = (row["PartitionKey"], row["RowKey"])
            self._rows[key] = (dict(row), {"etag": f"W/\"datetime'{number}'\"", "timestamp": self._clock()})
            self._partitions.setdefault(key[0], []).append(key[1])
        for keys in self._partitions.values():
            keys.sort()

    def forget_counts(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self.rows_read.clear()

    def get_entity(self, partition_key: str, row_key: str, *, select: Sequence[str] | None = None) -> TableEntity:
        self.calls["read"] += 1
        entity = super().get_entity(partition_key, row_key, select=select)
        self._note(entity)
        return entity

    def submit_transaction(self, operations: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
        self.calls["write"] += 1
        unpacked = list(operations)
        before = self.calls["write"]
        written = super().submit_transaction(unpacked)
        self.calls["write"] = before  # one call, however many operations
        return written

    def read_page(
        self,
        query_filter: str,
        parameters: Mapping[str, Any] | None,
        select: Sequence[str] | None,
        limit: int | None,
        token: Token | None,
    ) -> tuple[list[TableEntity], Token | None]:
        self.calls["read"] += 1
        most = limit or PAGE_ROWS
        matches = matcher(query_filter, parameters)
        page: list[TableEntity] = []
        for partition, key in self._candidates(query_filter, parameters or {}, token):
            if not matches(self._rows[partition, key][0]):
                continue
            if len(page) == most:
                return page, {"PartitionKey": partition, "RowKey": key}
            page.append(self._read((partition, key), select))
        return page, None

    def _candidates(
        self, query_filter: str, parameters: Mapping[str, Any], token: Token | None
    ) -> Iterable[tuple[str, str]]:
        """Yield the keys of the partition that a filter names, or else of its range of partitions."""
        if query_filter.startswith("PartitionKey eq @"):
            name = query_filter.split()[2].lstrip("@")
            partitions = [parameters[name]]
        else:
            first, last = parameters["first"], parameters["day"]
            known = sorted(self._partitions)
            partitions = known[bisect_left(known, first) : bisect_left(known, last)]
        start = ("", "") if token is None else (token["PartitionKey"], token["RowKey"])
        for partition in partitions:
            if partition < start[0]:
                continue
            keys = self._partitions.get(partition, [])
            begin = bisect_left(keys, start[1]) if partition == start[0] else 0
            for key in keys[begin:]:
                yield partition, key

    def _read(self, key: tuple[str, str], select: Sequence[str] | None) -> TableEntity:
        entity = super().get_entity(*key, select=select)
        self._note(TableEntity({"PartitionKey": key[0], "RowKey": key[1]}))
        return entity

    def _note(self, entity: Mapping[str, Any]) -> None:
        partition, key = str(entity.get("PartitionKey", "")), str(entity.get("RowKey", ""))
        if key.startswith("told!") or partition.startswith("ended:"):
            self.rows_read["history"] += 1
        else:
            self.rows_read["live"] += 1

    def _apply(self, name: str, entity: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        self.calls["write"] += 1
        key = (entity["PartitionKey"], entity["RowKey"])
        was_there = key in self._rows
        result = super()._apply(name, entity, **options)
        keys = self._partitions.setdefault(key[0], [])
        if not was_there:
            insort(keys, key[1])
        elif name == "delete":
            del keys[bisect_right(keys, key[1]) - 1]
        return result
