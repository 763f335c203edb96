"""``/api/requests`` and ``/api/groups/{kind}/{groupId}/requests``: send requests, see and cancel them."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from shared.api.groups import read_group, read_request_id
from shared.api.responses import Problem, Query, Response, json_response, polled
from shared.face.models import GroupKind
from shared.face.timestamps import format_utc
from shared.training import rows
from shared.training.cancel import Canceller
from shared.training.history import History
from shared.training.messages import Encoding, Group, Message, Rejection, Request, parse_body
from shared.training.record import RequestRecord
from shared.training.store import WatchStore

MAX_REQUESTS = 1000
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024
MESSAGE_LIFE = timedelta(days=7)
FIRST_RETRY_SECONDS = 2
"""When a request that was just sent may be on record."""


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """A request that was put on the queue."""

    request_id: str
    kind: str
    group_id: str
    location: str  # where its state is


@dataclass(frozen=True)
class RequestsApi:
    """Answers what concerns requests. Methods raise ``Problem``, and ``AzureError`` where the storage fails."""

    queue: QueueClient
    store: WatchStore
    history: History
    canceller: Canceller
    default_kind: GroupKind  # of a bare ID
    encoding: Encoding  # as the queue's bodies are read
    clock: Callable[[], datetime]

    def send(self, query: Query) -> Response:
        """Put one request, or an array of them, on the queue."""
        items, single = _items(query.body)
        requests = self._parsed(items)
        accepted: list[Accepted] = []
        for item, request in zip(items, requests, strict=True):
            try:
                accepted.append(self._enqueue(item, request.group))
            except AzureError:
                if not accepted:
                    raise
                raise Problem(
                    503,
                    "Not all requests were sent",
                    f"the queue took {len(accepted)} of {len(items)} requests; send the others again",
                    value=accepted,
                ) from None
        headers = {"Retry-After": str(FIRST_RETRY_SECONDS)}
        if single:
            return json_response(accepted[0], 202, {**headers, "Location": query.base + accepted[0].location})
        return json_response({"value": accepted}, 202, {**headers, "Location": f"{query.base}/api/watches"})

    def state(self, query: Query, kind: str, group_id: str, request_id: str) -> Response:
        """Return a request's state, and its event once it has ended."""
        group, request_id = read_group(kind, group_id), read_request_id(request_id)
        record = self.store.read(group)
        for each in record.open:
            if each.request_id == request_id:
                due = record.watch.next_poll_at
                wait = 1.0 if due is None else max(1.0, (due - self.clock()).total_seconds())
                content = _state(group, request_id, "open") | {"nextPollAt": None if due is None else format_utc(due)}
                return polled(query, content, {"Retry-After": str(round(wait))})
        ended = next((each for each in record.owed if each.request_id == request_id), None)
        ended = ended or self.history.told(group, request_id)
        if ended is not None:
            return polled(query, _state(group, request_id, "ended") | {"event": _event(ended)})
        if self.clock() - rows.inserted_at(request_id) < MESSAGE_LIFE:
            return polled(query, _state(group, request_id, "queued"), {"Retry-After": str(FIRST_RETRY_SECONDS)})
        raise Problem(
            404,
            "No such request",
            f"nothing is on record of {request_id}: a message lives 7 days, and the record of an ended request is "
            "kept for WATCH_RETENTION_DAYS",
        )

    def cancel(self, query: Query, kind: str, group_id: str, request_id: str) -> Response:
        """End an open request as cancelled."""
        group, request_id = read_group(kind, group_id), read_request_id(request_id)
        if self.clock() - rows.inserted_at(request_id) >= MESSAGE_LIFE and not self._is_open(group, request_id):
            return self.state(query, kind, group_id, request_id)
        if self.canceller.cancel(group, request_id):
            return json_response(_state(group, request_id, "ended"), 202)
        ended = self.history.told(group, request_id)
        raise Problem(
            409,
            "The request has ended",
            "an ended request cannot be cancelled",
            event=None if ended is None else _event(ended),
        )

    def cancel_all(self, kind: str, group_id: str) -> Response:
        """End all open requests of a group as cancelled."""
        group = read_group(kind, group_id)
        cancelled = self.canceller.cancel_all(group)
        return json_response({"value": [{"requestId": each} for each in cancelled]}, 202)

    def _is_open(self, group: Group, request_id: str) -> bool:
        return any(each.request_id == request_id for each in self.store.read(group).open)

    def _parsed(self, items: list[bytes]) -> list[Request]:
        parsed = [parse_body(item, self.default_kind, Encoding.NONE) for item in items]
        bad = [
            {"index": index, "reason": _reason(item, each)}
            for index, (item, each) in enumerate(zip(items, parsed, strict=True))
            if not isinstance(each, Request) or len(item) > MAX_MESSAGE_BYTES // 2
        ]
        if bad:
            raise Problem(
                400,
                "Invalid request",
                f"{len(bad)} of {len(items)} requests are not valid, so none was sent; see errors",
                errors=bad,
            )
        return [each for each in parsed if isinstance(each, Request)]

    def _enqueue(self, item: bytes, group: Group) -> Accepted:
        text = base64.b64encode(item).decode() if self.encoding is Encoding.BASE64 else item.decode()
        sent = self.queue.send_message(text)
        request_id = Message(sent.id, sent.inserted_on or self.clock(), item).request_id
        location = f"/api/groups/{group.kind.value}/{group.group_id}/requests/{request_id}"
        return Accepted(request_id, group.kind.value, group.group_id, location)


def _items(body: bytes) -> tuple[list[bytes], bool]:
    """Return the bodies of the messages to send, and whether it is one request rather than an array."""
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, "Too much", f"the body has {len(body)} bytes; expected at most {MAX_BODY_BYTES}")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        if not body.lstrip().startswith(b"["):
            return [_message(body.strip())], True
        raws = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        raise Problem(
            400, "Invalid JSON", "the body is not JSON; expected a request's object, or an array of them"
        ) from None
    if not 1 <= len(raws) <= MAX_REQUESTS:
        raise Problem(400, "Invalid array", f"the array has {len(raws)} requests; expected 1 to {MAX_REQUESTS}")
    return [_message(bytes(each)) for each in raws], False


def _message(raw: bytes) -> bytes:
    """Return an item as a message's body: of a text, the text itself, as ``personGroup/my-group``."""
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str).encode(errors="replace")
    # A number or a list is not a request, though its text may be a valid ID.
    return raw if raw.startswith(b"{") else b""


def _reason(item: bytes, parsed: object) -> str:
    if isinstance(parsed, Rejection):
        return parsed.reason
    if isinstance(parsed, Request):
        return f"the request has {len(item)} bytes; expected at most {MAX_MESSAGE_BYTES // 2}"
    return "an object with the field step is a message of the app's own"


def _state(group: Group, request_id: str, state: str) -> dict[str, Any]:
    return {
        "requestId": request_id,
        "kind": group.kind.value,
        "groupId": group.group_id,
        "state": state,
        "nextPollAt": None,
        "event": None,
    }


def _event(ended: RequestRecord) -> msgspec.Raw | None:
    return None if ended.event is None else msgspec.Raw(ended.event)
