"""What the host adds to the trigger metadata from a JSON body (``Utility.ApplyBindingData`` in azure-functions-host).

The top-level properties of a body that is bound as a string win over the trigger's own metadata of the same name,
which is a trap: a body with an ``id`` hides the message's.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from local.host.protos import TypedData

# What Newtonsoft.Json takes for a date, and makes a DateTime.
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d(?::?\d\d)?)?")


def apply_binding_data(metadata: Mapping[str, TypedData], body: str) -> dict[str, TypedData]:
    """Return the metadata with the body's top-level properties, arrays and nulls excepted, put over it.

    Names are compared without case and keep their first spelling. A body that is not a JSON object adds nothing.
    """
    merged = dict(metadata)
    spelling = {name.lower(): name for name in metadata}
    for name, value in _properties(body).items():
        if value is not None and not isinstance(value, list):
            merged[spelling.setdefault(name.lower(), name)] = _typed(value)
    return merged


def _properties(body: str) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _typed(value: object) -> TypedData:
    if isinstance(value, dict):
        return TypedData(json=json.dumps(value))
    return TypedData(string=_text(value))


def _text(value: object) -> str:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return _date_text(value)
    return str(value)


def _date_text(value: str) -> str:
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return value
    # .NET's invariant culture; a date with an offset becomes local time, one with Z stays UTC.
    if date.tzinfo is not None and not value.endswith("Z"):
        date = date.astimezone()
    return date.strftime("%m/%d/%Y %H:%M:%S")
