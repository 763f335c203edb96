"""The lines of a snapshot: each is one group, the service's object as it came."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from shared.face.groups import ListedKind
from shared.snapshots.stored.manifest import Unreadable

MAX_ID_CHARS = 64
"""The longest ID, and the longest ``start`` that the service takes ("'start' is too long.")."""

_raw_page = msgspec.json.Decoder(list[msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DECODERS = {
    kind: msgspec.json.Decoder(msgspec.defstruct(f"_{kind.name}", [("id", str, msgspec.field(name=kind.id_field))]))
    for kind in ListedKind
}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# msgspec takes no lone surrogates, which JSON allows; numbers stay text, so that none is too large.
_tolerant = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse)


class Lines(msgspec.Struct, frozen=True):
    """The groups of a page."""

    ids: list[str]
    lines: list[bytes]
    unreadable: list[Unreadable]  # groups that no line can hold; they are not among the others


class LineFormat:
    """How groups of a kind stand in a page and in a line."""

    def __init__(self, kind: ListedKind, *, include_user_data: bool = True) -> None:
        self._field = kind.id_field
        self._decoder = _DECODERS[kind]
        self._include_user_data = include_user_data

    def id_of(self, line: bytes) -> str:
        """Return the group's ID.

        Raises:
            ValueError: where the line is not a group of this kind.
        """
        group_id: Any
        try:
            group_id = self._decoder.decode(line).id  # type: ignore[attr-defined] # made by defstruct
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            group_id = load(line).get(self._field)
            str(group_id).encode()  # a lone surrogate in the ID itself: it cannot be asked for
        if not isinstance(group_id, str) or not 0 < len(group_id) <= MAX_ID_CHARS:
            raise ValueError(f"expected a {self._field} of 1 to {MAX_ID_CHARS} characters")
        return group_id

    def read_page(self, body: bytes) -> Lines:
        """Cut a page into lines.

        Raises:
            ValueError: where it is not a JSON list of objects that each have an ID.
        """
        page = Lines([], [], [])
        for item in _items(body):
            try:
                item.decode()
                line = self._line(item)
            except ValueError as error:
                # Not the group's ID is at fault, or this raises once more.
                group_id = self.id_of(item.decode(errors="replace").encode())
                page.unreadable.append(Unreadable(group_id, type(error).__name__))
            else:
                page.ids.append(self.id_of(line))
                page.lines.append(line)
        return page

    def _line(self, item: bytes) -> bytes:
        # Line breaks of JSON stand between its tokens alone.
        line = item.translate(None, b"\r\n") if b"\n" in item or b"\r" in item else item
        return line if self._include_user_data else without_user_data(line)


def without_user_data(line: bytes) -> bytes:
    """Return the group without its ``userData``, its other fields as they came where they are valid Unicode."""
    try:
        fields = _fields.decode(line)
    except msgspec.DecodeError:
        return json.dumps({name: value for name, value in load(line).items() if name != "userData"}).encode()
    if fields.pop("userData", None) is None:
        return line
    return msgspec.json.encode(fields)


def load(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line that msgspec cannot decode; its numbers are text.

    Raises:
        ValueError: where it is not one.
    """
    try:
        fields = _tolerant.decode(line.decode())
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - callers know one error alone
    return fields


def _items(body: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _raw_page.decode(body)]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return list(_items_one_by_one(body))


def _items_one_by_one(body: bytes) -> Iterator[bytes]:
    # Bytes that are not UTF-8 come through as surrogates, and go back as they came.
    text = body.decode(errors="surrogateescape").strip(" \t\r\n")
    if not text.startswith("[") or not text.endswith("]"):
        raise ValueError("expected a JSON list")
    rest = 1
    while (rest := _skip_space(text, rest)) < len(text) - 1:
        _, end = _tolerant.raw_decode(text, rest)
        yield text[rest:end].encode(errors="surrogateescape")
        rest = _skip_space(text, end)
        if text[rest] == ",":
            rest += 1
        elif rest != len(text) - 1:
            raise ValueError("expected a comma between the items of a JSON list")


def _skip_space(text: str, begin: int) -> int:
    while text[begin] in " \t\r\n":
        begin += 1
    return begin
