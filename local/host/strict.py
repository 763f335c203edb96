"""Conversion of plain data to typed data that rejects unknown names."""

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

import msgspec


class UnknownNameError(ValueError):
    """A name that is not known where it stands."""


def convert[T: msgspec.Struct](data: object, into: type[T], where: str) -> T:
    """Return ``data`` as an ``into``. Numbers and booleans may be strings, as in .NET's configuration.

    ``where`` names the data in errors. Names are compared without case, as the host does.

    Raises:
        UnknownNameError: the data has a name that ``into`` does not.
        msgspec.ValidationError: a value does not fit.
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
