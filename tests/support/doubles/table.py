"""Keep a table in memory, with the ETags and the errors of ``azure.data.tables.TableClient``."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import CodeType
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode

_WORDS = {
    "eq": "==",
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "and": "and",
    "or": "or",
    "true": "True",
    "false": "False",
}
_TOKEN = re.compile(r"@?\w+|[()]")


class InMemoryTable:
    """Hold rows by partition and row key; answer as the service does."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self._writes = 0

    def create_entity(self, entity: Mapping[str, Any]) -> dict[str, str]:
        if _key(entity) in self._rows:
            raise ResourceExistsError("EntityAlreadyExists")
        return self._write(entity)

    def get_entity(self, partition_key: str, row_key: str) -> TableEntity:
        if (partition_key, row_key) not in self._rows:
            raise ResourceNotFoundError("ResourceNotFound")
        return _entity(*self._rows[partition_key, row_key])

    def update_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode, *, etag: str | None, match_condition: MatchConditions
    ) -> dict[str, str]:
        assert mode is UpdateMode.REPLACE
        self._check(_key(entity), etag, match_condition)
        return self._write(entity)

    def delete_entity(
        self, partition_key: str, row_key: str, *, etag: str | None, match_condition: MatchConditions
    ) -> None:
        if (partition_key, row_key) in self._rows:  # the client takes a row that is gone for deleted
            self._check((partition_key, row_key), etag, match_condition)
            del self._rows[partition_key, row_key]

    def query_entities(self, query_filter: str, *, parameters: Mapping[str, Any]) -> Iterator[TableEntity]:
        code, names = _compiled(query_filter)
        for _, (row, etag) in sorted(self._rows.items()):
            known = {name: row.get(name, _ABSENT) for name in names}
            if eval(code, {"row": known, "parameters": parameters}):  # noqa: S307 - our own words only
                yield _entity(row, etag)

    def _check(self, key: tuple[str, str], etag: str | None, match_condition: MatchConditions) -> None:
        assert match_condition is MatchConditions.IfNotModified
        if key not in self._rows:
            raise ResourceNotFoundError("ResourceNotFound")
        if self._rows[key][1] != etag:
            raise ResourceModifiedError("UpdateConditionNotSatisfied")

    def _write(self, entity: Mapping[str, Any]) -> dict[str, str]:
        self._writes += 1
        etag = f'W/"{self._writes}"'
        self._rows[_key(entity)] = (dict(entity), etag)
        return {"etag": etag}


def _key(entity: Mapping[str, Any]) -> tuple[str, str]:
    return entity["PartitionKey"], entity["RowKey"]


def _entity(row: dict[str, Any], etag: str) -> TableEntity:
    entity = TableEntity(row)
    entity._metadata = {"etag": etag, "timestamp": None}  # noqa: SLF001 - the client sets it so too
    return entity


@cache
def _compiled(query_filter: str) -> tuple[CodeType, frozenset[str]]:
    """Turn an OData filter into an expression, with the names of the properties in it."""
    names = set()
    words = []
    for token in _TOKEN.findall(query_filter):
        if token in _WORDS or token in "()":
            words.append(_WORDS.get(token, token))
        elif token.startswith("@"):
            words.append(f"parameters[{token[1:]!r}]")
        else:
            names.add(token)
            words.append(f"row[{token!r}]")
    return compile(" ".join(words), query_filter, "eval"), frozenset(names)


class _Absent:
    """Compare as a property that a row does not have: never."""

    def __eq__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False

    __ge__ = __gt__ = __le__ = __lt__
    __hash__ = object.__hash__


_ABSENT = _Absent()
