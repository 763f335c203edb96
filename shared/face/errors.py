"""What a call to the Face service can raise, and how an error response becomes one of these."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from shared.face.models import cut

MAX_CODE_CHARS = 100

# "Please retry after 1 second." and "Try again in 26 seconds." were both seen on 429.
_WAIT_IN_MESSAGE = re.compile(r"\b(?:after|in) (\d{1,6}(?:\.\d{1,6})?) ?seconds?\b", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)

_KINDS = ("PersonGroup", "LargePersonGroup", "LargeFaceList", "DynamicPersonGroup")
_NOT_FOUND_CODES = frozenset(f"{kind}NotFound" for kind in _KINDS)
_NOT_TRAINED_CODES = frozenset(f"{kind}NotTrained" for kind in _KINDS)
_DOCUMENTED_CODES = _NOT_FOUND_CODES | _NOT_TRAINED_CODES | {
    "401",
    "429",
    "BadArgument",
    "ConcurrentOperationConflict",
    "InternalServerError",
    "InvalidURL",
    "LargePersonGroupTrainingNotFinished",
    "OperationTimeOut",
    "PermissionDenied",
    "PersonGroupTrainingNotFinished",
    "ServiceUnavailable",
    "UnsupportedFeature",
    "UnsupportedMediaType",
}  # fmt: skip


class FaceError(Exception):
    """The root of everything that a call to the service can raise.

    The text of the exception holds our own words only, so it may be logged. What the service wrote is in attributes,
    for events.

    Attributes:
        status: HTTP status of the response, ``None`` where there was none.
        code: the service's error code, such as ``LargePersonGroupNotFound``.
        inner_code: the code of its ``innererror``, such as ``UnsupportedFeature``.
        message: the service's words, cut to ``MAX_MESSAGE_CHARS``.
        request_id: ``apim-request-id`` of the response, to name to the service's support.
        date: when the service responded, by its own clock (UTC).
        wait: seconds that the service asked to wait, ``None`` where it did not.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        code: str | None = None,
        inner_code: str | None = None,
        message: str | None = None,
        request_id: str | None = None,
        date: datetime | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.inner_code = inner_code
        self.message = message
        self.request_id = request_id
        self.date = date
        self.wait = wait

    @property
    def documented_code(self) -> str | None:
        """Return the most specific code that the service documents, which may be logged; any other is outside text."""
        return next((code for code in (self.inner_code, self.code) if code in _DOCUMENTED_CODES), None)


class BudgetExhausted(FaceError):
    """No call was made: the request budget has no slot within the time that the caller can wait."""


class Unreachable(FaceError):
    """No whole response: the connection was cut, or the time ran out."""


class NoConnection(Unreachable):
    """No connection at all: the name cannot be resolved, the connection or its TLS was refused."""


class InvalidResponse(FaceError):
    """A response that the service does not document: a redirect, too long, not JSON, or of another schema."""


class Unauthorized(FaceError):
    """The service refused the app itself (401, 403), or no credential could be had."""


class GroupNotFound(FaceError):
    """The service does not know the group (404 with a documented code)."""


class NotTrained(FaceError):
    """The group was never trained (404 with a documented code)."""


class UndocumentedNotFound(FaceError):
    """Any other 404: of a gateway, or of a retired API version. It says nothing about the group."""


class Conflict(FaceError):
    """The group is busy with another operation (409)."""


class Throttled(FaceError):
    """The service asks for fewer calls (429)."""


class ServerFault(FaceError):
    """The service or a gateway before it failed for now (408, 423, 425, 5xx)."""


class BadRequest(FaceError):
    """The service will never accept this call (any other 4xx)."""


_BY_STATUS: dict[int, type[FaceError]] = {
    401: Unauthorized,
    403: Unauthorized,
    408: ServerFault,
    409: Conflict,
    423: ServerFault,
    425: ServerFault,
    429: Throttled,
}


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> FaceError:
    """Return the error that an unexpected response stands for.

    Understand the service's ``{"error": {"code", "message", "innererror"}}``, the gateways'
    ``{"statusCode", "message"}``, and bodies that are not JSON, of which nothing is kept.
    """
    details = _details(body)
    code = headers.get("x-ms-error-code") or details.code
    error = _kind_of(status, code)(
        f"the Face service responded {status}",
        status=status,
        code=cut(code, MAX_CODE_CHARS) if code else None,
        inner_code=cut(details.inner_code, MAX_CODE_CHARS) if details.inner_code else None,
        message=cut(details.message) if details.message else None,
        request_id=request_id(headers),
        date=response_date(headers),
        wait=_asked_wait(headers, details.message),
    )
    if error.documented_code:
        error.args = (f"{error} ({error.documented_code})",)
    return error


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the ID that the service gave the call, ``None`` where it gave none that can be read."""
    value = headers.get("apim-request-id") or ""
    return value if _REQUEST_ID.fullmatch(value) else None


def response_date(headers: Mapping[str, str]) -> datetime | None:
    """Return when the service responded, by its own clock (UTC), ``None`` where it does not say."""
    return _http_date(headers.get("Date") or "")


def _kind_of(status: int, code: str | None) -> type[FaceError]:
    if status == 404:
        if code in _NOT_FOUND_CODES:
            return GroupNotFound
        return NotTrained if code in _NOT_TRAINED_CODES else UndocumentedNotFound
    if 400 <= status < 500:
        return _BY_STATUS.get(status, BadRequest)
    return ServerFault if status >= 500 else InvalidResponse


class _Details(msgspec.Struct):
    code: str | None = None
    inner_code: str | None = None
    message: str | None = None


class _InnerError(msgspec.Struct):
    code: str | int | None = None


class _Error(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None
    inner: _InnerError | None = msgspec.field(default=None, name="innererror")


class _ErrorBody(msgspec.Struct):
    error: _Error | None = None
    message: str | None = None
    status_code: int | str | None = msgspec.field(default=None, name="statusCode")


def _details(body: bytes) -> _Details:
    try:
        document = msgspec.json.decode(body, type=_ErrorBody)
    except (ValueError, RecursionError):
        return _Details()
    if document.error is None:
        return _Details(_text(document.status_code), None, document.message)
    inner = document.error.inner
    return _Details(_text(document.error.code), _text(inner.code) if inner else None, document.error.message)


def _text(code: str | int | None) -> str | None:
    return None if code is None else str(code)


def _asked_wait(headers: Mapping[str, str], message: str | None) -> float | None:
    asked = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", asked, re.ASCII):
        return float(asked)
    if until := _http_date(asked):
        # Both dates of a response come from one clock, which may differ from ours.
        now = response_date(headers) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    named = _WAIT_IN_MESSAGE.search(message or "")
    return float(named[1]) if named else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
