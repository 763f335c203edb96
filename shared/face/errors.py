"""Say what the Face service answered when it did not answer as asked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from shared.face.models import MAX_MESSAGE_CHARS

# "Please retry after 1 second." and "Try again in 26 seconds." were both seen on 429.
_WAIT_IN_MESSAGE = re.compile(r"\b(?:after|in) (\d{1,6}(?:\.\d{1,6})?) ?seconds?\b", re.IGNORECASE)


class FaceError(Exception):
    """Be the root of everything that a call to the service can raise.

    Attributes:
        status: HTTP status of the answer, ``None`` where there was none.
        code: the service's error code, such as ``LargePersonGroupNotFound``.
        message: the service's own words, cut at ``MAX_MESSAGE_CHARS``.
        request_id: ``apim-request-id`` of the answer, to name to the service's support.
        wait: seconds that the service asked to wait, ``None`` where it did not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        wait: float | None = None,
    ) -> None:
        self.message = message[:MAX_MESSAGE_CHARS]
        self.status = status
        self.code = code
        self.request_id = request_id
        self.wait = wait
        super().__init__(f"{code}: {self.message}" if code else self.message)


class BudgetExhausted(FaceError):
    """No call was made: the request budget has no room within the time that the caller can wait."""


class Unreachable(FaceError):
    """No whole answer came: no connection, a cut one, or none within the timeout."""


class InvalidResponse(FaceError):
    """An answer came that is not what the service documents: a redirect, no JSON, or another shape."""


class Unauthorized(FaceError):
    """The service refuses the app itself (401, 403), or no credential could be had."""


class NotFound(FaceError):
    """The service knows no such group, or no training of it (404)."""

    @property
    def never_trained(self) -> bool:
        """Tell a group without a training (``LargePersonGroupNotTrained``) from one that does not exist."""
        return (self.code or "").endswith("NotTrained")


class Conflict(FaceError):
    """The group is busy with another operation (409)."""


class Throttled(FaceError):
    """The service asks for fewer calls (429)."""


class ServerFault(FaceError):
    """The service or a gateway before it failed (408, 5xx)."""


class BadRequest(FaceError):
    """The service will never accept this call (any other 4xx)."""


_BY_STATUS: dict[int, type[FaceError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    408: ServerFault,
    409: Conflict,
    429: Throttled,
}


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> FaceError:
    """Return the error that an answer other than the expected one stands for.

    Understand the service's ``{"error": {"code", "message"}}``, the gateways' ``{"statusCode", "message"}``,
    and bodies that are no JSON, of which nothing is kept.
    """
    code, message = _code_and_message(body)
    code = headers.get("x-ms-error-code") or code
    if 400 <= status < 500:
        kind = _BY_STATUS.get(status, BadRequest)
    else:
        kind = ServerFault if status >= 500 else InvalidResponse
    return kind(
        message or f"the Face service answered {status} without a readable message",
        status=status,
        code=code[:100] if code else None,
        request_id=headers.get("apim-request-id"),
        wait=_asked_wait(headers, message),
    )


class _Inner(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Inner | None = None
    message: str | None = None
    status_code: int | str | None = msgspec.field(default=None, name="statusCode")


def _code_and_message(body: bytes) -> tuple[str | None, str | None]:
    try:
        found = msgspec.json.decode(body, type=_ErrorBody)
    except (ValueError, RecursionError):
        return None, None
    if found.error is not None:
        return (None if found.error.code is None else str(found.error.code)), found.error.message
    return (None if found.status_code is None else str(found.status_code)), found.message


def _asked_wait(headers: Mapping[str, str], message: str | None) -> float | None:
    asked = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", asked, re.ASCII):
        return float(asked)
    if until := _http_date(asked):
        # The two dates of one answer come from one clock; ours may differ from it.
        now = _http_date(headers.get("Date") or "") or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    named = _WAIT_IN_MESSAGE.search(message or "")
    return float(named[1]) if named else None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
