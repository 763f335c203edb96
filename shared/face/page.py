"""One page of a list of groups, read so that one group that cannot be used never spoils the others."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

MAX_ID_CHARS = 64
"""The service's limit of ``start``: a page that ends with a longer ID could not be gone on from."""
MAX_GROUP_BYTES = 1_048_576
"""A group of the documented limits, all of it escaped, has less than 256 KiB."""

_NOT_UTF8 = "not UTF-8"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class ListedKind(StrEnum):
    """A kind of group that can be listed."""

    DYNAMIC_PERSON_GROUP = "dynamicPersonGroup"
    PERSON_GROUP = "personGroup"
    LARGE_PERSON_GROUP = "largePersonGroup"
    LARGE_FACE_LIST = "largeFaceList"

    @property
    def path(self) -> str:
        """Return the kind's segment in the service's addresses, such as ``largepersongroups``."""
        return f"{self.lower()}s"

    @property
    def id_field(self) -> str:
        """Return the name of the field that holds a group's ID, such as ``largePersonGroupId``."""
        return f"{self}Id"


class ListedGroup(msgspec.Struct, frozen=True):
    """One group of a page."""

    group_id: str
    body: bytes  # the service's JSON object as it came, on one line; empty where it is unreadable
    unreadable: str | None = None  # why the object is not JSON


def decode_page(body: bytes, kind: ListedKind, most: int) -> list[ListedGroup]:
    """Read a page of at most ``most`` groups.

    A number out of range or half of a surrogate pair is valid JSON: such a group is kept as it came. Of a group that
    is not UTF-8 only the ID is kept.

    Raises:
        ValueError: the body is not a JSON list, has more items, or one of them has no ID of 1 to 64 characters.
        RecursionError: it is nested too deeply.
    """
    try:
        # The first pass holds little of a hostile page; the second one has at most ``most`` items to keep.
        ids = [item.group_id for item in _typed(kind).decode(body)]
        _check_count(len(ids), most)
        raws = [bytes(raw) for raw in _raw_items.decode(body)]
        items = list(zip(ids, raws, strict=True))
    except msgspec.DecodeError:
        items = list(_split(body, kind, most))
    return [_group(group_id, raw) for group_id, raw in items]


_raw_items = msgspec.json.Decoder(list[msgspec.Raw])


@cache
def _typed(kind: ListedKind) -> msgspec.json.Decoder[Any]:
    identified = msgspec.defstruct("Identified", [("group_id", str, msgspec.field(name=kind.id_field))])
    return msgspec.json.Decoder(list[identified])  # type: ignore[valid-type]  # made for the kind


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


# As floats, numbers of any length are read in linear time.
_scanner = json.JSONDecoder(parse_int=float, parse_constant=_no_constant)
_BEGIN = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*")
_AFTER_ITEM = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")


def _split(body: bytes, kind: ListedKind, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield each item's ID and bytes, by a reader that takes half surrogate pairs, with bounded memory.

    In Latin-1 each byte is one character, and all that gives JSON its structure is ASCII.
    """
    text = body.decode("latin-1")
    begin = _BEGIN.match(text)
    if begin is None:
        raise ValueError("not a JSON list")
    position, separator, count = begin.end(), ",", 0
    while separator == ",":
        _, length = _scanner.raw_decode(text[position : position + MAX_GROUP_BYTES])
        end = _AFTER_ITEM.match(text, position + length)
        if end is None:
            raise ValueError("not a JSON list")
        count += 1
        _check_count(count, most)
        raw = body[position : position + length]
        yield _id_of(raw, kind), raw
        position, separator = end.end(), end[1]
    if position != len(text):
        raise ValueError("more than one JSON value")


def _id_of(raw: bytes, kind: ListedKind) -> str:
    match _scanner.decode(raw.decode(errors="surrogateescape")):
        case {kind.id_field: str(group_id)}:
            group_id.encode()
            return group_id
        case _:
            raise ValueError(f"an item without a {kind.id_field}")


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise ValueError(f"{count} or more groups, expected at most {most}")


def _group(group_id: str, raw: bytes) -> ListedGroup:
    if not 1 <= len(group_id) <= MAX_ID_CHARS:
        raise ValueError(f"an ID of {len(group_id)} characters, expected 1 to {MAX_ID_CHARS}")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return ListedGroup(group_id, b"", _NOT_UTF8)
    return ListedGroup(group_id, _on_one_line(raw))


def _on_one_line(raw: bytes) -> bytes:
    try:
        return msgspec.json.format(raw, indent=-1)
    except msgspec.DecodeError:
        return raw.translate(_ONE_LINE)
