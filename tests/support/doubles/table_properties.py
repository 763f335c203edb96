"""Check the properties of a row as the table service does, and read them as its client does."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.data.tables import EntityProperty
from azure.data.tables._deserialize import TablesEntityDatetime

from tests.support.doubles.errors import failed_with

MAX_PROPERTY_BYTES = 65_536
MAX_ENTITY_BYTES = 1024 * 1024


def stored(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as the client reads it after it was written.

    Raises:
        TypeError: as the client does, where a value is of a kind or a size that it does not send.
        HttpResponseError: as the service does, where a property or the row is too large.
    """
    row = {name: _as_read(value) for name, value in entity.items() if value is not None}
    sizes = [_size(value) for value in row.values()]
    if max(sizes) > MAX_PROPERTY_BYTES:
        raise failed_with(HttpResponseError, "PropertyValueTooLarge", 400)
    if sum(sizes) + sum(2 * len(name) for name in row) > MAX_ENTITY_BYTES:
        raise failed_with(HttpResponseError, "EntityTooLarge", 400)
    return row


def size_of(row: Mapping[str, Any]) -> int:
    """Return about how many bytes a row takes in a request: binary is sent as Base64."""
    return sum(len(value) * 4 // 3 if isinstance(value, bytes) else len(str(value)) for value in row.values())


def _as_read(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return TablesEntityDatetime.combine(moment.date(), moment.timetz())
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        raise TypeError(f"{value} is too large to be cast to type EdmType.INT32.")
    if not isinstance(value, bytes | bool | int | float | EntityProperty):
        raise TypeError(f"Type not supported when sending data to the service: {type(value)}.")
    return value


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-16-le"))
    return len(value) if isinstance(value, bytes) else 8
