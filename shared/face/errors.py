"""What a call to the Face service can raise."""

from datetime import datetime

_KINDS = ("PersonGroup", "LargePersonGroup", "LargeFaceList", "DynamicPersonGroup")
NOT_FOUND_CODES = frozenset(f"{kind}NotFound" for kind in _KINDS)
NOT_TRAINED_CODES = frozenset(f"{kind}NotTrained" for kind in _KINDS)
_DOCUMENTED_CODES = NOT_FOUND_CODES | NOT_TRAINED_CODES | {
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
