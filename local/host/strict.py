"""Plain data to typed data, where a name that is not known is refused."""

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

import msgspec


class UnknownNameError(ValueError):
    """A name stands where no such name is known."""


def convert[T: msgspec.Struct](data: object, into: type[T], where: str) -> T:
    """Return `data` as an `into`, reading numbers and booleans out of strings too, as .NET's configuration does.

    `where` says in errors what the data is. Names are compared without case, as the host does.
    Raises UnknownNameError and msgspec.ValidationError.
    """
    return msgspec.convert(_with_known_names(data, into, where), into, strict=False)


def _with_known_names(data: object, into: object, where: str) -> object:
    struct = _struct_in(into)
    if struct is None or not isinstance(data, Mapping):
        return data
    fields = {field.encode_name.lower(): field for field in msgspec.structs.fields(struct)}
    known: dict[str, Any] = {}
    for name, value in data.items():
        field = fields.get(str(name).lower())
        if field is None:
            names = ", ".join(field.encode_name for field in fields.values()) or "nothing"
            raise UnknownNameError(f"{where}: '{name}' is not known here. Known: {names}.")
        known[field.encode_name] = _with_known_names(value, field.type, f"{where}: {name}")
    return known


def _struct_in(annotation: object) -> type[msgspec.Struct] | None:
    """Return the Struct that an annotation is, or the one in a union with None."""
    candidates = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)
