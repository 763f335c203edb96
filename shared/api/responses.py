"""Responses of the HTTP functions, and the problems that they report (RFC 9457)."""

import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

log = logging.getLogger(__name__)

UNAVAILABLE_RETRY_SECONDS = 10


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an HTTP function, as far as the functions need it."""

    base: str  # the address that paths are below, such as ``https://NAME.azurewebsites.net``
    path: str  # such as ``/api/watches``
    parameters: Mapping[str, str] = {}
    body: bytes = b""
    if_none_match: str | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A response of an HTTP function."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Problem(Exception):
    """A request that cannot be answered as asked. The text says what was found, what was expected and what to do."""

    def __init__(self, status: int, title: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.members = members  # further members of the problem's object
        self.headers = {"Retry-After": str(UNAVAILABLE_RETRY_SECONDS)} if status == 503 else {}

    def response(self) -> Response:
        """Return the problem as a response."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": str(self), **self.members}
        return Response(
            status=self.status,
            body=msgspec.json.encode(body),
            content_type="application/problem+json",
            headers=self.headers,
        )


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return some content as JSON."""
    return Response(status=status, body=msgspec.json.encode(content), headers=headers or {})


def polled(query: Query, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return some content as JSON with an ETag; only the ETag where the client has that content already."""
    body = msgspec.json.encode(content)
    etag = f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()}"'
    told = {**(headers or {}), "ETag": etag, "Cache-Control": "no-cache"}
    known = [each.strip().removeprefix("W/") for each in (query.if_none_match or "").split(",")]
    if etag in known or "*" in known:
        return Response(status=304, headers=told)
    return Response(status=200, body=body, headers=told)


def respond(work: Callable[[], Response]) -> Response:
    """Return the response of some work, or the problem that it raises."""
    # Imported here, so that the app starts without the SDKs.
    from azure.core.exceptions import AzureError

    from shared.redaction import describe

    try:
        return work()
    except Problem as problem:
        return problem.response()
    except AzureError as error:
        log.warning("request not answered: %s", describe(error))
        return Problem(
            503, "Storage unavailable", f"the app's storage failed ({describe(error)}); try again"
        ).response()
    except Exception as error:  # noqa: BLE001 - the host would log the text of whatever is raised
        log.error("request failed: %s", describe(error))  # noqa: TRY400 - the trace may hold IDs
        return Problem(500, "Internal error", "the app failed; its log says more").response()
