"""Queue output bindings: a function's output as messages."""

import json

from local.host.protos import TypedData
from local.host.queue_message import Encoding, encode_body


def output_texts(data: TypedData, encoding: Encoding) -> list[str]:
    """Return the texts of the messages that a function's output makes: one, or one for each item of a list."""
    kind = data.WhichOneof("data")
    value = getattr(data, str(kind))
    bodies = _bodies(json.loads(value)) if kind == "json" else [value]
    return [encode_body(body if isinstance(body, bytes) else body.encode(), encoding) for body in bodies]


def _bodies(parsed: object) -> list[str]:
    items = parsed if isinstance(parsed, list) else [parsed]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]
