"""Pages of listings: ``?top=&continuation=`` in, ``{"value": […], "nextLink"}`` out."""

import base64
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.api.responses import Problem, Query
from shared.training.history import Continuation

DEFAULT_TOP = 100
MAX_TOP = 1000


class Paging(msgspec.Struct, frozen=True):
    """Which page of a listing is asked for."""

    top: int  # how many items at most
    continuation: Continuation | None  # where it begins; ``None``: at the beginning


def read_paging(query: Query) -> Paging:
    """Return which page a request asks for.

    Raises:
        Problem: ``top`` or ``continuation`` is not valid.
    """
    text = query.parameters.get("top", str(DEFAULT_TOP))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and 1 <= int(text) <= MAX_TOP):
        raise Problem(400, "Invalid parameter", f"top is {text[:40]!r}; expected a number from 1 to {MAX_TOP}")
    token = query.parameters.get("continuation")
    return Paging(int(text), None if token is None else _decoded(token))


def page(query: Query, value: list[Any], paging: Paging, following: Continuation | None) -> dict[str, Any]:
    """Return a page as its object; the last one has no ``nextLink``."""
    if following is None:
        return {"value": value}
    kept = {name: text for name, text in query.parameters.items() if name not in ("top", "continuation", "code")}
    token = base64.urlsafe_b64encode(msgspec.json.encode(following)).decode().rstrip("=")
    parameters = {**kept, "top": str(paging.top), "continuation": token}
    return {"value": value, "nextLink": f"{query.base}{query.path}?{urlencode(parameters)}"}


def invalid_continuation() -> Problem:
    """Return the problem of a continuation that was made up, or changed."""
    return Problem(400, "Invalid parameter", "continuation is not valid; expected the one of a nextLink, unchanged")


def _decoded(token: str) -> Continuation:
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        following = msgspec.json.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True), type=dict[str, str | None]
        )
    except (ValueError, UnicodeEncodeError):
        following = {}
    if set(following) != {"PartitionKey", "RowKey"}:
        raise invalid_continuation()
    return following
