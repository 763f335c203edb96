"""A guard of servers on this machine against web pages in its browsers.

A page may send requests to any address, and by DNS rebinding also read the responses under a name of its own. So the
``Host`` has to be this machine, and an ``Origin``, which browsers send along, the server itself.
"""

import ipaddress
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[^:\[\]/@]+)(?::\d+)?", re.IGNORECASE)


class LoopbackOnly:
    """An ASGI app behind the guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with 403 to what a web page of elsewhere may have sent."""
        problem = find_problem(Headers(scope=scope)) if scope["type"] == "http" else None
        if problem:
            await PlainTextResponse(problem, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def find_problem(headers: Mapping[str, str]) -> str | None:
    """Return what is wrong with a request's headers, None where nothing is."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not is_loopback(host):
        return "Found another Host than this machine; expected 127.0.0.1 or localhost."
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return "Found an Origin elsewhere; expected a request of no web page, or of one that this server has sent."
    return None


def is_loopback(authority: str) -> bool:
    """Return whether ``name:port`` names this machine: localhost, or an address of the loopback interface."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return False
    name = match["name"].lower()
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
