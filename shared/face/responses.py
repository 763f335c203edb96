"""What a response says besides its body, and which error it is."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from shared.face.errors import (
    NOT_FOUND_CODES,
    NOT_TRAINED_CODES,
    BadRequest,
    Conflict,
    FaceError,
    GroupNotFound,
    InvalidResponse,
    NotTrained,
    ServerFault,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
)
from shared.face.models import cut

MAX_CODE_CHARS = 100

# "Please retry after 1 second." and "Try again in 26 seconds." were both seen on 429.
_WAIT_IN_MESSAGE = re.compile(r"\b(?:after|in) (\d{1,6}(?:\.\d{1,6})?) ?seconds?\b", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)

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
    """Return the ID that the service gave the call, ``None`` where that is not a UUID: it is logged."""
    value = headers.get("apim-request-id") or ""
    return value if _REQUEST_ID.fullmatch(value) else None


def response_date(headers: Mapping[str, str]) -> datetime | None:
    """Return when the service responded, by its own clock (UTC), ``None`` where it does not say."""
    return _http_date(headers.get("Date") or "")


def _kind_of(status: int, code: str | None) -> type[FaceError]:
    if status == 404:
        if code in NOT_FOUND_CODES:
            return GroupNotFound
        return NotTrained if code in NOT_TRAINED_CODES else UndocumentedNotFound
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
