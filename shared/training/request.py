"""Read what may be enqueued: a request in any of its forms, or the app's own follow-up."""

import base64
import binascii
import re
from datetime import UTC, datetime

import msgspec

from shared.face.models import GroupKind
from shared.face.timestamps import parse_instant

MAX_CORRELATION_ID_CHARS = 256
"""In characters: with it, an event fits a queue message and a table property whatever its characters are."""

_MOST_STEPS = 2**31 - 2
"""The table keeps whole numbers of 32 bits."""

_ID = re.compile(r"[a-z0-9-_]{1,64}", re.ASCII)
_WATCH_ID = re.compile(r"\d{8}T\d{6}Z-[0-9A-Za-z-]{1,64}", re.ASCII)
_KINDS = ", ".join(GroupKind)
_BYTE_ORDER_MARK = "\ufeff"


class Message(msgspec.Struct, frozen=True):
    """Hold a queue message as it was received: its body as it came, and when (UTC) the queue took it.

    ``dequeue_count`` says how often it has been received, this time included.
    """

    id: str
    inserted_at: datetime
    body: bytes
    dequeue_count: int = 1

    @property
    def watch_id(self) -> str:
        """Return the ID of the watch that this message begins: the same at each redelivery, greater for a later one."""
        return f"{self.inserted_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{self.id}"


class Request(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Ask for a group's training to be watched.

    ``trained_after`` (RFC 3339): a training created before it is stale and not reported.
    ``train``: start the training, then watch it.
    """

    group_id: str
    kind: GroupKind
    trained_after: str | None = None
    train: bool = False
    correlation_id: str | None = None


class FollowUp(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Carry a watch to its next step; only the app itself sends these."""

    watch_id: str
    kind: GroupKind
    group_id: str
    step: int

    @property
    def body(self) -> str:
        """Return the text of the queue message."""
        return msgspec.json.encode(self).decode()


class Rejection(msgspec.Struct, frozen=True):
    """Say why a body is no request: what was found and what is allowed."""

    reason: str


def parse_body(body: bytes, default_kind: GroupKind) -> Request | FollowUp | Rejection:
    """Read a message's body as it is and, where that is no valid form, as Base64 of one.

    Ignore a byte order mark and white space around it. Never raise: what cannot be read is a ``Rejection``.
    """
    try:
        text = _bare(body.decode())
    except UnicodeDecodeError:
        return Rejection("the body is no UTF-8 text; send an ID, KIND/ID, or a JSON object with groupId")
    found = _parse(text, default_kind)
    if not isinstance(found, Rejection):
        return found
    inner = _from_base64(text)
    if inner is None:
        return found
    unpacked = _parse(inner, default_kind)
    if isinstance(unpacked, Rejection):
        # Of the two reasons, that which tells more: short words happen to be Base64 of something, too.
        return Rejection(f"read as Base64: {unpacked.reason}") if _is_legible(inner) else found
    return unpacked


def _bare(text: str) -> str:
    return text.strip().strip(_BYTE_ORDER_MARK).strip()


def _from_base64(text: str) -> str | None:
    try:
        # Tools wrap long Base64 in lines.
        return _bare(base64.b64decode("".join(text.split()), validate=True).decode())
    except (binascii.Error, ValueError):
        return None


def _is_legible(text: str) -> bool:
    return text.startswith("{") or (text != "" and text.isprintable())


def _parse(text: str, default_kind: GroupKind) -> Request | FollowUp | Rejection:
    try:
        if text.startswith("{"):
            return _parse_object(text, default_kind)
        kind, slash, group_id = text.partition("/")
        if slash:
            return Request(_checked_id(group_id), _checked_kind(kind))
        return Request(_checked_id(text), default_kind)
    except _Refused as refusal:
        return Rejection(str(refusal))


class _Refused(ValueError):
    """Leave the parsing; the text is the reason."""


class _RequestObject(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    group_id: str
    kind: str | None = None
    trained_after: str | None = None
    train: bool | None = None
    correlation_id: str | None = None


class _FollowUpMark(msgspec.Struct, rename="camel"):
    watch_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _parse_object(text: str, default_kind: GroupKind) -> Request | FollowUp:
    try:
        if msgspec.json.decode(text, type=_FollowUpMark).watch_id is not msgspec.UNSET:
            return _checked_follow_up(msgspec.json.decode(text, type=FollowUp))
        found = msgspec.json.decode(text, type=_RequestObject)
    except RecursionError:
        raise _Refused("the JSON is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise _Refused(f"the JSON object is no request: {error}"[:300]) from None
    except ValueError as error:
        raise _Refused(f"the body begins as a JSON object but is none: {error}"[:300]) from None
    if found.trained_after is not None:
        try:
            parse_instant(found.trained_after)
        except ValueError as error:
            raise _Refused(f"trainedAfter: {error}") from None
    if len(found.correlation_id or "") > MAX_CORRELATION_ID_CHARS:
        raise _Refused(
            f"correlationId has {len(found.correlation_id or '')} characters; allowed are {MAX_CORRELATION_ID_CHARS}"
        )
    return Request(
        group_id=_checked_id(found.group_id),
        kind=default_kind if found.kind is None else _checked_kind(found.kind),
        trained_after=found.trained_after,
        train=bool(found.train),
        correlation_id=found.correlation_id,
    )


def _checked_follow_up(found: FollowUp) -> FollowUp:
    _checked_id(found.group_id)
    if not (0 <= found.step <= _MOST_STEPS and _WATCH_ID.fullmatch(found.watch_id)):
        raise _Refused("an object with watchId is a message of the app's own, and this one has a wrong watchId or step")
    return found


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _Refused(
            f"{text[:80]!r} is no group ID; allowed are 1 to 64 of the characters a to z, 0 to 9, hyphen and underscore"
        )
    return text


def _checked_kind(text: str) -> GroupKind:
    if text not in list(GroupKind):
        raise _Refused(f"{text[:80]!r} is no kind of group; allowed are {_KINDS}")
    return GroupKind(text)
