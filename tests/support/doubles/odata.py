"""Compile the filters of table queries into expressions of Python."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import CodeType
from typing import Any

_WORDS = {
    "eq": "==",
    "ne": "!=",
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "and": "and",
    "or": "or",
    "not": "not",
    "true": "True",
    "false": "False",
}
_TOKEN = re.compile(r"'(?:[^']|'')*'|@?\w+|[()]")


def matcher(query_filter: str, parameters: Mapping[str, Any] | None) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether a row matches a filter, written as ``TableClient.query_entities`` takes it."""
    code, names = _compiled(query_filter)

    def matches(row: Mapping[str, Any]) -> bool:
        known = {name: row.get(name, _ABSENT) for name in names}
        return bool(eval(code, {"row": known, "parameters": parameters}))  # noqa: S307 - the tests' own words only

    return matches


@cache
def _compiled(query_filter: str) -> tuple[CodeType, frozenset[str]]:
    """Return the expression, and the names of the properties in it."""
    names = set()
    words = []
    for token in _TOKEN.findall(query_filter):
        if token in _WORDS or token in "()":
            words.append(_WORDS.get(token, token))
        elif token.startswith("'"):
            words.append(repr(token[1:-1].replace("''", "'")))
        elif token.startswith("@"):
            words.append(f"parameters[{token[1:]!r}]")
        elif token.isdigit():
            words.append(token)
        else:
            names.add(token)
            words.append(f"row[{token!r}]")
    return compile(" ".join(words), query_filter, "eval"), frozenset(names)


class _Absent:
    """A property that a row does not have: no comparison with it is true."""

    def __eq__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False

    __ge__ = __gt__ = __le__ = __ne__ = __lt__
    __hash__ = object.__hash__


_ABSENT = _Absent()
