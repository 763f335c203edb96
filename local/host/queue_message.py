"""A queue message on its way to the function: its decoded body and its trigger metadata."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Literal

import msgspec

from local.host.binding_data import apply_binding_data
from local.host.protos import TypedData

type Encoding = Literal["base64", "none"]

# White space that Convert.FromBase64String ignores.
_IGNORED_IN_BASE64 = str.maketrans("", "", " \t\r\n")
# DateTimeOffset.MaxValue, which the host puts where a time is unknown.
_NEVER = "9999-12-31T23:59:59.9999999+00:00"


class UndecodableError(ValueError):
    """A text that is not of the encoding that ``messageEncoding`` names."""


class ReceivedMessage(msgspec.Struct, frozen=True):
    """A message as it was received; ``text`` is not decoded, times are UTC.

    One that came through the host's admin address has neither ID, pop receipt nor times.
    """

    text: str
    id: str | None = None
    pop_receipt: str | None = None
    dequeue_count: int = 0
    inserted_on: datetime | None = None
    expires_on: datetime | None = None
    next_visible_on: datetime | None = None


def decode_body(text: str, encoding: Encoding) -> bytes:
    """Return the body that a message's text holds.

    Raises:
        UndecodableError: the text is not of that encoding.
    """
    if encoding == "none":
        return text.encode()
    try:
        return base64.b64decode(text.translate(_IGNORED_IN_BASE64), validate=True)
    except (binascii.Error, ValueError):
        raise UndecodableError(
            "the message's text is not Base64; expected what messageEncoding in host.json says"
        ) from None


def encode_body(body: bytes, encoding: Encoding) -> str:
    """Return the text that holds a body."""
    return body.decode() if encoding == "none" else base64.b64encode(body).decode()


def trigger_input(body: bytes, *, binary: bool) -> TypedData:
    """Return what the function's parameter gets: the body as bytes or as a string, which it then has to be."""
    return TypedData(bytes=body) if binary else TypedData(string=body.decode())


def is_text(body: bytes) -> bool:
    """Return whether a body is UTF-8, so that it can be bound as a string."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def trigger_metadata(
    message: ReceivedMessage, body: bytes, *, binary: bool, now: datetime | None = None
) -> dict[str, TypedData]:
    """Return the trigger metadata of a message.

    Where the body is bound as a string, its own JSON properties win over the message's (see ``binding_data``).
    """
    text = body.decode(errors="replace")
    texts = {"QueueTrigger": text, "Id": message.id, "PopReceipt": message.pop_receipt}
    metadata = {name: TypedData(string=value) for name, value in texts.items() if value is not None} | {
        "DequeueCount": _json(message.dequeue_count),
        "InsertionTime": _json(_isoformat(message.inserted_on or now or datetime.now(UTC))),
        "ExpirationTime": _json(_isoformat(message.expires_on)),
        "NextVisibleTime": _json(_isoformat(message.next_visible_on)),
    }
    return metadata if binary else apply_binding_data(metadata, text)


def _json(value: object) -> TypedData:
    # The worker reads a number as JSON; typed as an int it fails.
    return TypedData(json=json.dumps(value))


def _isoformat(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat() if time else _NEVER
