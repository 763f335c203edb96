"""Evaluate the expressions that a snapshot leaves open, as far as this project's templates use them."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

type Functions = Mapping[str, Callable[..., Any]]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[\w$#]+)|(?P<mark>[()\[\].,]))")


def evaluate(value: Any, functions: Functions) -> Any:
    """Return a value with the expressions in it evaluated."""
    match value:
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


class _Expression:
    """An expression, read by recursive descent."""

    def __init__(self, text: str, functions: Functions) -> None:
        self._tokens = [(kind, match[kind]) for match in _TOKEN.finditer(text) if (kind := str(match.lastgroup))]
        self._position = 0
        self._functions = functions
        self._variables: dict[str, Any] = {}

    def evaluate(self) -> Any:
        value = self._term()
        if self._position != len(self._tokens):
            raise ValueError(f"found {self._tokens[self._position :]}, expected the end of the expression")
        return value

    def _next(self, mark: str) -> bool:
        matches = self._position < len(self._tokens) and self._tokens[self._position] == ("mark", mark)
        self._position += matches
        return matches

    def _term(self) -> Any:
        kind, token = self._tokens[self._position]
        self._position += 1
        if kind == "text":
            value: Any = token[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(token)
        else:
            value = self._call(token)
        while self._position < len(self._tokens):
            if self._next("."):
                value = value[self._tokens[self._position][1]]
                self._position += 1
            elif self._next("["):
                value = value[self._term()]
                self._next("]")
            else:
                break
        return value

    def _call(self, name: str) -> Any:
        if not self._next("("):
            raise ValueError(f"found {name!r}, expected a function")
        if name == "filter":
            return self._filter()
        if name == "lambdaVariables":
            variable = self._term()
            self._next(")")
            return self._variables[variable]
        arguments = []
        while not self._next(")"):
            arguments.append(self._term())
            self._next(",")
        return self._functions[name](*arguments)

    def _filter(self) -> list[Any]:
        """Return the items for which ``filter(items, lambda('x', …))`` holds."""
        items = self._term()
        self._position += 3  # , lambda (
        variable = self._term()
        self._next(",")
        body, kept = self._position, []
        for item in items:
            self._position = body
            self._variables[variable] = item
            if self._term():
                kept.append(item)
        self._position += 2  # ) )
        return kept


def _format(pattern: str, *arguments: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda match: str(arguments[int(match[1])]), pattern)


PURE: Functions = {
    "empty": lambda value: not value,
    "format": _format,
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(parts))),
    "join": lambda values, mark: mark.join(values),
    "not": lambda value: not value,
    "skip": lambda value, count: value[count:],
    "split": lambda value, mark: value.split(mark),
}
