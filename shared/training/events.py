"""Make the events that tell requests' ends: one CloudEvent each, the same at each repetition. No I/O.

The form is CloudEvents 1.0, https://cloudevents.io.
"""

import base64
import json
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from shared.face.models import Training
from shared.face.timestamps import format_utc
from shared.training.decide import End
from shared.training.messages import Group, Message
from shared.training.record import Outcome, RequestRecord

MAX_EVENT_BYTES = 48 * 1024
"""An event is a queue message of at most 64 KiB and a table property of at most 64 KiB."""

MAX_BODY_BYTES = 16 * 1024
"""How long a body may be that its event holds whole."""

_CUT_BODY_CHARS = 256
_MAX_ESCAPED_BODY_BYTES = 36 * 1024  # leaves room for the reason and the correlation ID; Base64 is always shorter

_XML_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "&<>"})

# Names the events of bodies that are not requests; a random number, once and for all.
_BODIES = uuid.UUID("7c8f8c0e-6c1b-4f0a-9a53-3a1f0a1f6a11")


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the app had seen of a group when a request ended."""

    at: datetime  # when the end was seen, UTC
    polls: int = 0  # of the watch, since its record began
    training: Training | None = None
    late_seconds: float | None = None  # age of the training's end, by the service's clock
    service_request_id: str | None = None  # ``apim-request-id`` of the response that ended the request


def ended(group: Group, request: RequestRecord, end: End, seen: Seen, *, source: str) -> RequestRecord:
    """Return a request as ended, with its event.

    Args:
        group: the request's group.
        request: the open request.
        end: how it ends.
        seen: what was known then.
        source: the Face resource's endpoint.
    """
    data = _data(
        group,
        end,
        training=None if seen.training is None else msgspec.to_builtins(seen.training),
        polls=max(0, seen.polls - request.polls_before),
        watchedSeconds=round(max(0.0, (seen.at - request.inserted_at).total_seconds()), 3),
        lateSeconds=None if seen.late_seconds is None else round(seen.late_seconds, 3),
        correlationId=request.correlation_id,
        serviceRequestId=seen.service_request_id,
    )
    event = {
        **_envelope(request.request_id, end.outcome, seen.at, f"{source}/{group.kind.path}/{group.group_id}"),
        "subject": group.subject,
        **({} if request.traceparent is None else {"traceparent": request.traceparent}),
        "data": data,
    }
    return msgspec.structs.replace(request, outcome=end.outcome, ended_at=seen.at, event=_encode(event))


def is_event(content: bytes, event_id: str) -> bool:
    """Return whether some bytes are an event of that ID as ``ended`` and ``body_event`` make it.

    Any other might be no JSON, or nothing that a queue takes.
    """
    if len(content) > MAX_EVENT_BYTES or not content.isascii() or content.translate(None, b"&<>") != content:
        return False
    try:
        return _identified.decode(content).id == event_id
    except (ValueError, RecursionError):
        return False


def body_event_id(message: Message) -> str:
    """Return the ID of the event of a body that is told by itself: no request can have it."""
    return str(uuid.uuid5(_BODIES, f"{message.id}\n{message.body.hex()}"))


def body_event(
    message: Message,
    end: End,
    *,
    source: str,
    group: Group | None = None,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """Return the event of a body that is told by itself: rejected, or given up. All of it comes from the message."""
    data = _data(
        group,
        end,
        training=None,
        polls=0,
        watchedSeconds=0,
        lateSeconds=None,
        correlationId=correlation_id,
        serviceRequestId=None,
    )
    event = {
        **_envelope(body_event_id(message), end.outcome, message.inserted_at, source),
        **({} if group is None else {"subject": group.subject}),
        **({} if traceparent is None else {"traceparent": traceparent}),
        "data": data | {"messageId": message.id, **_told_body(message.body)},
    }
    return _encode(event)


def _envelope(event_id: str, outcome: Outcome, time: datetime, source: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"face.training.{outcome.value}",
        "time": format_utc(time),
        "datacontenttype": "application/json",
    }


def _data(group: Group | None, end: End, **fields: Any) -> dict[str, Any]:
    return {
        "kind": None if group is None else group.kind.value,
        "groupId": None if group is None else group.group_id,
        "outcome": end.outcome.value,
        **fields,
        "error": None if end.message is None else {"code": end.code, "message": end.message},
    }


def _told_body(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        return {"body": body.decode(errors="replace")[:_CUT_BODY_CHARS], "bodyTruncated": True}
    with suppress(UnicodeDecodeError):
        text = body.decode()
        if len(_encode(text)) <= _MAX_ESCAPED_BODY_BYTES:
            return {"body": text}
    return {"bodyBase64": base64.b64encode(body).decode()}


def _encode(content: Any) -> bytes:
    # A queue message is XML text, which cannot hold every character that JSON can; ASCII it always can. What XML would
    # escape, JSON escapes here, so that the event is as long on the queue as it is in the table.
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return text.translate(_XML_ESCAPES).encode()
