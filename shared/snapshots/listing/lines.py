"""The lines of a snapshot: each is one group, the service's object as it came."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import msgspec

from shared.face.page import ListedKind

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# msgspec takes no half of a surrogate pair, which is JSON; numbers stay text, so that none is too large.
_tolerant = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse)


@cache
def id_reader(field: str) -> Callable[[bytes], str]:
    """Return the function that reads a line's ID out of that field; it raises ``ValueError`` where there is none."""
    decoder: Any = msgspec.json.Decoder(msgspec.defstruct("Identified", [("id", str, msgspec.field(name=field))]))

    def read_id(line: bytes) -> str:
        line_id: Any
        try:
            line_id = decoder.decode(line).id
        except msgspec.ValidationError:
            raise
        except RecursionError:
            raise _too_deep() from None
        except msgspec.DecodeError:
            line_id = load(line).get(field)
        if not isinstance(line_id, str) or not line_id:
            raise ValueError(f"expected a line with a {field}")
        return line_id

    return read_id


def group_id_reader(kind: ListedKind) -> Callable[[bytes], str]:
    """Return the function that reads a group's ID out of its line."""
    return id_reader(kind.id_field)


def without_user_data(line: bytes) -> bytes:
    """Return the group without its ``userData``, its other fields as they came where they are valid Unicode."""
    try:
        fields = _fields.decode(line)
    except RecursionError:
        raise _too_deep() from None
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
        raise _too_deep() from None
    if not isinstance(fields, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - callers know one error alone
    return fields


def _too_deep() -> ValueError:
    return ValueError("the line is nested too deeply")
