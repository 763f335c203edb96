"""Keep a table in memory, with the ETags and the errors of ``azure.data.tables.TableClient``."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.paging import ItemPaged
from azure.data.tables import RequestTooLargeError, TableEntity, TableTransactionError, UpdateMode

from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.errors import failed_with
from tests.support.doubles.odata import matcher
from tests.support.doubles.table_properties import size_of, stored

MAX_OPERATIONS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
PAGE_ROWS = 1000

type Key = tuple[str, str]
type Token = dict[str, str]
type Rows = dict[Key, tuple[dict[str, Any], dict[str, Any]]]


class InMemoryTable:
    """Rows by partition and row key, that are read and written as the service does it.

    ``empty_pages`` is with how many pages that hold nothing a query begins, as the service may do.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._rows: Rows = {}
        self._writes = 0
        self.empty_pages = 0

    @property
    def rows(self) -> list[tuple[dict[str, Any], str]]:
        """Return all rows with their ETags, in the order of their keys."""
        return [(row, metadata["etag"]) for _, (row, metadata) in sorted(self._rows.items(), key=lambda each: each[0])]

    def create_entity(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        return self._apply("create", entity)

    def upsert_entity(self, entity: Mapping[str, Any], mode: str = UpdateMode.MERGE) -> dict[str, Any]:
        return self._apply("upsert", entity, mode=mode)

    def update_entity(
        self, entity: Mapping[str, Any], mode: str = UpdateMode.MERGE, **condition: Any
    ) -> dict[str, Any]:
        return self._apply("update", entity, mode=mode, **condition)

    def delete_entity(self, partition_key: str, row_key: str, **condition: Any) -> None:
        if (partition_key, row_key) in self._rows:  # the client takes a row that is gone for deleted
            self._apply("delete", {"PartitionKey": partition_key, "RowKey": row_key}, **condition)

    def get_entity(self, partition_key: str, row_key: str, *, select: Sequence[str] | None = None) -> TableEntity:
        if (partition_key, row_key) not in self._rows:
            raise failed_with(ResourceNotFoundError, "ResourceNotFound", 404)
        return _entity(*self._rows[partition_key, row_key], select)

    def query_entities(
        self,
        query_filter: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        select: Sequence[str] | None = None,
        results_per_page: int | None = None,
    ) -> ItemPaged[TableEntity]:
        return paged(self.read_page, query_filter, parameters, select, results_per_page)

    def read_page(
        self,
        query_filter: str,
        parameters: Mapping[str, Any] | None,
        select: Sequence[str] | None,
        limit: int | None,
        token: Token | None,
    ) -> tuple[list[TableEntity], Token | None]:
        """Return one page of a query, and where the next one begins; each page is a call of its own."""
        empty = 0 if token is None else int(token.get("empty", "0"))
        if empty < self.empty_pages:
            return [], {"PartitionKey": "", "RowKey": "", "empty": str(empty + 1)}
        start = ("", "") if token is None else (token["PartitionKey"], token["RowKey"])
        matches = matcher(query_filter, parameters)
        found = [key for key in sorted(self._rows) if key >= start and matches(self._rows[key][0])]
        most = limit or PAGE_ROWS
        rest = found[most : most + 1]
        following = {"PartitionKey": rest[0][0], "RowKey": rest[0][1], "empty": str(empty)} if rest else None
        return [_entity(*self._rows[key], select) for key in found[:most]], following

    def submit_transaction(self, operations: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Write all of some operations on rows of one partition, or none."""
        unpacked = [(str(name).lower(), entity, *rest) for name, entity, *rest in operations]
        if len({entity["PartitionKey"] for _, entity, *_ in unpacked}) > 1:
            raise ValueError("Partition Keys in the batch must all be the same.")
        if not 0 < len(unpacked) <= MAX_OPERATIONS:
            raise failed_with(HttpResponseError, "InvalidInput", 400)
        if sum(size_of(entity) for _, entity, *_ in unpacked) > MAX_TRANSACTION_BYTES:
            raise failed_with(RequestTooLargeError, "RequestBodyTooLarge", 413)
        seen: Counter[Key] = Counter()
        before, etags = dict(self._rows), []
        for index, (name, entity, *options) in enumerate(unpacked):
            try:
                seen[_key(entity)] += 1
                if seen[_key(entity)] > 1:
                    raise failed_with(HttpResponseError, "InvalidDuplicateRow", 400)
                etags.append(self._apply(name, entity, **(options[0] if options else {})))
            except HttpResponseError as error:
                self._rows = before
                code, status = error.error_code, error.status_code or 0  # type: ignore[attr-defined]
                raise failed_with(TableTransactionError, code, status, index=index) from None
        return [{name: value for name, value in each.items() if name == "etag"} for each in etags]

    def _apply(
        self,
        name: str,
        entity: Mapping[str, Any],
        *,
        mode: str = UpdateMode.MERGE,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> dict[str, Any]:
        key = _key(entity)
        if name == "create" and key in self._rows:
            raise failed_with(ResourceExistsError, "EntityAlreadyExists", 409)
        if name in ("update", "delete"):
            self._check(key, etag, match_condition)
        if name == "delete":
            del self._rows[key]
            return {}
        row = stored(entity)
        if name != "create" and mode == UpdateMode.MERGE and key in self._rows:
            row = stored({**self._rows[key][0], **row})
        self._writes += 1
        moment = self._clock()
        new_etag = f"W/\"datetime'{moment:%Y-%m-%dT%H%%3A%M%%3A%S}.{self._writes:07}Z'\""
        self._rows[key] = (row, {"etag": new_etag, "timestamp": moment})
        return {"etag": new_etag, "date": moment.replace(microsecond=0)}

    def _check(self, key: Key, etag: str | None, match_condition: MatchConditions | None) -> None:
        conditional = match_condition is MatchConditions.IfNotModified
        if conditional and not etag:
            raise ValueError("IfNotModified must be specified with etag.")
        if key not in self._rows:
            raise failed_with(ResourceNotFoundError, "ResourceNotFound", 404)
        if conditional and self._rows[key][1]["etag"] != etag:
            raise failed_with(ResourceModifiedError, "UpdateConditionNotSatisfied", 412)


def paged(
    read_page: Callable[..., tuple[list[TableEntity], Token | None]],
    query_filter: str,
    parameters: Mapping[str, Any] | None,
    select: Sequence[str] | None,
    limit: int | None,
) -> ItemPaged[TableEntity]:
    """Return the rows of a query, a page at a time, as the client does."""

    def extracted(page: tuple[list[TableEntity], Any]) -> tuple[Any, list[TableEntity]]:
        rows, token = page
        return token, rows

    return ItemPaged(lambda token: read_page(query_filter, parameters, select, limit, token), extracted)


def _key(entity: Mapping[str, Any]) -> Key:
    return entity["PartitionKey"], entity["RowKey"]


def _entity(row: dict[str, Any], metadata: Mapping[str, Any], select: Sequence[str] | None = None) -> TableEntity:
    entity = TableEntity(row if select is None else {name: row[name] for name in select if name in row})
    timestamp = metadata["timestamp"] if select is None or "Timestamp" in select else None
    entity._metadata = {"etag": metadata["etag"], "timestamp": timestamp}  # noqa: SLF001 - the client sets it so too
    return entity
