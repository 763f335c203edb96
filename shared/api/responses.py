"""Responses of the HTTP functions, and the problems that they report (RFC 9457)."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


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

    def response(self) -> Response:
        """Return the problem as a response."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": str(self), **self.members}
        return Response(status=self.status, body=msgspec.json.encode(body), content_type="application/problem+json")


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
