"""Evaluate the expressions of ARM templates, as far as this project's templates use them."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

type Functions = Mapping[str, Callable[..., Any]]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[\w$#]+)|(?P<mark>[()\[\].,]))")


def evaluate(value: Any, functions: Functions) -> Any:
    """Return a value of a template with its expressions evaluated and its loops (``copy``) unrolled."""
    match value:
        case {"copy": list(loops)}:
            rest = {key: item for key, item in value.items() if key != "copy"}
            return evaluate(rest, functions) | {loop["name"]: unroll(loop, loop["input"], functions) for loop in loops}
        case dict():
            return {evaluate(key, functions): evaluate(item, functions) for key, item in value.items()}
        case list():
            return [evaluate(item, functions) for item in value]
        case str() if value.startswith("[["):
            return value[1:]
        case str() if value.startswith("[") and value.endswith("]"):
            return _Expression(value[1:-1], functions).evaluate()
        case _:
            return value


def unroll(loop: Mapping[str, Any], value: Any, functions: Functions) -> list[Any]:
    """Return a value as often as a loop says, each time evaluated with its index."""
    return [evaluate(value, at_index(functions, index)) for index in range(evaluate(loop["count"], functions))]


def at_index(functions: Functions, index: int) -> Functions:
    """Return functions among which ``copyIndex`` answers an index."""
    return {**functions, "copyIndex": lambda *_: index}


class _Expression:
    """Read an expression by recursive descent; what is not asked for is not evaluated."""

    def __init__(self, text: str, functions: Functions) -> None:
        self._tokens = [(kind, found[kind]) for found in _TOKEN.finditer(text) if (kind := str(found.lastgroup))]
        self._at = 0
        self._functions = functions

    def evaluate(self) -> Any:
        value = self._term(needed=True)
        if self._at != len(self._tokens):
            raise ValueError(f"expected the end of the expression, found {self._tokens[self._at :]}")
        return value

    def _next(self, mark: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)
        self._at += found
        return found

    def _expect(self, mark: str) -> None:
        if not self._next(mark):
            raise ValueError(f"expected {mark!r}, found {self._tokens[self._at : self._at + 3]}")

    def _term(self, *, needed: bool) -> Any:
        kind, token = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            value: Any = token[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(token)
        else:
            self._expect("(")
            value = self._if(needed=needed) if token == "if" else self._call(token, needed=needed)
        while self._at < len(self._tokens):
            if self._next("."):
                key: Any = self._tokens[self._at][1]
                self._at += 1
            elif self._next("["):
                key = self._term(needed=needed)
                self._expect("]")
            else:
                break
            value = value[key] if needed else None
        return value

    def _call(self, name: str, *, needed: bool) -> Any:
        arguments = []
        while not self._next(")"):
            arguments.append(self._term(needed=needed))
            self._next(",")
        if not needed:
            return None
        return self._functions[name](*arguments)

    def _if(self, *, needed: bool) -> Any:
        """Evaluate the branch that is taken, and it alone, as the Resource Manager does."""
        condition = self._term(needed=needed)
        self._expect(",")
        yes = self._term(needed=needed and bool(condition))
        self._expect(",")
        no = self._term(needed=needed and not condition)
        self._expect(")")
        return yes if condition else no


def _format(pattern: str, *arguments: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: str(arguments[int(found[1])]), pattern)


def _union(*values: Any) -> Any:
    if isinstance(values[0], dict):
        return {key: item for value in values for key, item in value.items()}
    return list(dict.fromkeys(item for value in values for item in value))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _unique(*parts: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(parts)).hex[:13]


PURE: Functions = {
    "and": lambda *values: all(values),
    "bool": lambda value: value if isinstance(value, bool) else str(value).lower() == "true",
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": lambda *values: [x for v in values for x in v] if isinstance(values[0], list) else "".join(values),
    "contains": lambda container, item: item in container,
    "createArray": lambda *values: list(values),
    "createObject": lambda *values: dict(zip(values[::2], values[1::2], strict=True)),
    "empty": lambda value: not value,
    "equals": lambda one, other: one == other,
    "false": lambda: False,
    "format": _format,
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(parts))),
    "indexOf": lambda container, item: container.index(item),
    "int": int,
    "items": lambda value: [{"key": key, "value": value[key]} for key in sorted(value)],
    "join": lambda values, mark: mark.join(values),
    "last": lambda value: value[-1],
    "length": len,
    "not": lambda value: not value,
    "null": lambda: None,
    "or": lambda *values: any(values),
    "skip": lambda value, count: value[count:],
    "split": lambda value, mark: value.split(mark),
    "string": _string,
    "toLower": lambda value: value.lower(),
    "true": lambda: True,
    "union": _union,
    "uniqueString": _unique,
}
