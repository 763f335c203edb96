"""Read what may be enqueued: a request in any of its forms, or the app's own follow-up."""

import base64
import binascii
import re
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from shared.face.models import GroupKind
from shared.face.timestamps import parse_instant

MAX_CORRELATION_ID_CHARS = 256

TRACEPARENT = r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
"""The form of W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header."""

MAX_DEQUEUE_COUNT = 5
"""How often the host delivers a message, as ``host.json`` has it, before it moves it to the poison queue."""

_ID = re.compile(r"[a-z0-9-_]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(TRACEPARENT, re.ASCII)
_KINDS = ", ".join(GroupKind)
_FIELDS = "groupId, kind, trainedAfter, train, correlationId, traceparent"
_BYTE_ORDER_MARK = "\ufeff"
_MAX_REASON_CHARS = 400


class Encoding(StrEnum):
    """How the bodies of requests are written."""

    AUTO = "auto"
    NONE = "none"
    BASE64 = "base64"


class Group(msgspec.Struct, frozen=True):
    """A group whose trainings can be watched."""

    kind: GroupKind
    group_id: str

    @property
    def subject(self) -> str:
        """Return the group as events name it, such as ``personGroup/my-group``."""
        return f"{self.kind.value}/{self.group_id}"


class Message(msgspec.Struct, frozen=True):
    """A queue message as it was received."""

    id: str
    inserted_at: datetime  # when the queue took it, UTC
    body: bytes  # as it came
    dequeue_count: int = 1  # how often it has been received, this time included

    @property
    def exhausted(self) -> bool:
        """Return whether this is one of the host's last tries, which must not fail."""
        return self.dequeue_count >= MAX_DEQUEUE_COUNT - 1

    @property
    def request_id(self) -> str:
        """Return the ID of the request that this message is: the same at each redelivery."""
        return f"{self.inserted_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{self.id}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be told when a group's training has ended."""

    group: Group
    trained_after: str | None = None  # RFC 3339: the end of a training created before this does not answer the request
    train: bool = False  # the app starts the training itself
    correlation_id: str | None = None  # comes back in the event
    traceparent: str | None = None  # W3C: the trace that the request belongs to
    other_reading: bool = False  # the body is Base64 of another valid form as well

    @property
    def body(self) -> str:
        """Return the text of a queue message that makes this request, whichever form it came in."""
        fields = _RequestObject(
            kind=self.group.kind.value,
            group_id=self.group.group_id,
            trained_after=self.trained_after,
            train=self.train or None,
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
        )
        return msgspec.json.encode(fields).decode()


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """The app's own message, which brings the next poll of a watch. It is never trusted."""

    group: Group
    step: int  # the watch's step that it belongs to
    traceparent: str | None = None

    @property
    def body(self) -> str:
        """Return the text of the queue message."""
        fields = _FollowUpObject(
            kind=self.group.kind,
            group_id=self.group.group_id,
            step=self.step,
            traceparent=msgspec.UNSET if self.traceparent is None else self.traceparent,
        )
        return msgspec.json.encode(fields).decode()


class Rejection(msgspec.Struct, frozen=True):
    """A body that is not a request."""

    reason: str  # what was found and what was expected
    correlation_id: str | None = None  # where it can be read


def parse_body(body: bytes, default_kind: GroupKind, encoding: Encoding) -> Request | FollowUp | Rejection:
    """Return what a message's body asks for; what cannot be read is a ``Rejection``.

    A byte order mark and white space around the body are ignored.
    """
    try:
        text = _bare(body.decode())
    except UnicodeDecodeError:
        return Rejection("the body is not UTF-8 text; expected an ID, KIND/ID, or a JSON object with groupId")
    plain = _parse(text, default_kind)
    if isinstance(plain, FollowUp) or encoding is Encoding.NONE:
        return plain
    inner = _from_base64(text)
    if encoding is Encoding.BASE64:
        if inner is None:
            text = "the body is not Base64 of UTF-8 text, which WATCH_MESSAGE_ENCODING expects"
            return Rejection(text, plain.correlation_id)
        return _not_a_follow_up(_parse(inner, default_kind))
    return _choose(plain, inner, default_kind)


def read_group(kind: str, group_id: str) -> Group:
    """Return the group of a kind and an ID.

    Raises:
        ValueError: one of them is not valid; the text says which, and what was expected.
    """
    return Group(_checked_kind(kind), _checked_id(group_id))


def _choose(plain: Request | Rejection, inner: str | None, default_kind: GroupKind) -> Request | Rejection:
    """Return the reading as it is and, where that is not a valid form, as Base64 of one."""
    if inner is None:
        return plain
    unpacked = _not_a_follow_up(_parse(inner, default_kind))
    if isinstance(plain, Request):
        return msgspec.structs.replace(plain, other_reading=isinstance(unpacked, Request))
    if isinstance(unpacked, Request):
        return unpacked
    # Short words happen to be Base64 of something, too: tell the reason that says more.
    return Rejection(f"read as Base64: {unpacked.reason}", unpacked.correlation_id) if _is_legible(inner) else plain


def _not_a_follow_up(parsed: Request | FollowUp | Rejection) -> Request | Rejection:
    if isinstance(parsed, FollowUp):
        return Rejection(f"the JSON object has the field step, which is the app's own; expected {_FIELDS}")
    return parsed


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
            return Request(group=read_group(kind, group_id))
        return Request(group=Group(default_kind, _checked_id(text)))
    except _NotARequest as error:
        return Rejection(str(error)[:_MAX_REASON_CHARS], _readable_correlation_id(text))


class _NotARequest(ValueError):
    """The body is not a request; the text is the reason."""


class _RequestObject(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    group_id: str
    kind: str | None = None
    trained_after: str | None = None
    train: bool | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


class _FollowUpObject(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    kind: GroupKind
    group_id: str
    step: int
    traceparent: str | msgspec.UnsetType = msgspec.UNSET


class _Marks(msgspec.Struct, rename="camel"):
    step: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Correlated(msgspec.Struct, rename="camel"):
    correlation_id: str | None = None


def _parse_object(text: str, default_kind: GroupKind) -> Request | FollowUp:
    try:
        if msgspec.json.decode(text, type=_Marks).step is not msgspec.UNSET:
            return _checked_follow_up(msgspec.json.decode(text, type=_FollowUpObject))
        fields = msgspec.json.decode(text, type=_RequestObject)
    except RecursionError:
        raise _NotARequest("the JSON is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise _NotARequest(f"the JSON object is not a request: {error}; expected the fields {_FIELDS}") from None
    except ValueError as error:
        raise _NotARequest(f"the body begins as a JSON object but is not one: {error}") from None
    _check_texts(fields)
    return Request(
        group=Group(
            default_kind if fields.kind is None else _checked_kind(fields.kind),
            _checked_id(fields.group_id),
        ),
        trained_after=fields.trained_after,
        train=bool(fields.train),
        correlation_id=fields.correlation_id,
        traceparent=fields.traceparent,
    )


def _check_texts(fields: _RequestObject) -> None:
    if fields.trained_after is not None:
        try:
            parse_instant(fields.trained_after)
        except ValueError as error:
            raise _NotARequest(f"trainedAfter: {error}") from None
    if len(fields.correlation_id or "") > MAX_CORRELATION_ID_CHARS:
        raise _NotARequest(
            f"correlationId has {len(fields.correlation_id or '')} characters; "
            f"expected at most {MAX_CORRELATION_ID_CHARS}"
        )
    if fields.traceparent is not None and not _TRACEPARENT.fullmatch(fields.traceparent):
        raise _NotARequest(
            f"traceparent is {fields.traceparent[:80]!r}; "
            "expected the form of W3C Trace Context, 00-<32 hex digits>-<16 hex digits>-<2 hex digits>"
        )


def _checked_follow_up(fields: _FollowUpObject) -> FollowUp:
    traceparent = None if fields.traceparent is msgspec.UNSET else fields.traceparent
    if fields.step < 0 or (traceparent is not None and not _TRACEPARENT.fullmatch(traceparent)):
        raise _NotARequest("an object with the field step is a message of the app's own, and this one is not valid")
    return FollowUp(group=Group(fields.kind, _checked_id(fields.group_id)), step=fields.step, traceparent=traceparent)


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _NotARequest(
            f"{text[:80]!r} is not a valid group ID; "
            "expected 1 to 64 of the characters a to z, 0 to 9, hyphen and underscore"
        )
    return text


def _checked_kind(text: str) -> GroupKind:
    if text not in list(GroupKind):
        raise _NotARequest(f"{text[:80]!r} is not a kind of group; expected one of {_KINDS}")
    return GroupKind(text)


def _readable_correlation_id(text: str) -> str | None:
    try:
        correlation_id = msgspec.json.decode(text, type=_Correlated).correlation_id
    except (ValueError, RecursionError):
        return None
    return None if correlation_id is None else correlation_id[:MAX_CORRELATION_ID_CHARS]
