"""What ASGI cannot express: a response that never comes, and a connection that is cut."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from asyncio import Transport


class CuttableProtocol(HttpToolsProtocol):
    """The HTTP protocol, which also gives each request its connection."""

    def on_message_begin(self) -> None:
        """Give the request its connection."""
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class NoResponse:
    """No response: the connection is cut after so many seconds, unless the client gives up before."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Respond to a request so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await _client_gone(receive)
        transport: Transport = scope["state"]["transport"]
        transport.abort()
        await _client_gone(receive)


class HalfResponse:
    """The headers and half of the body of a response, then a cut connection."""

    def __init__(self, whole: Response) -> None:
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request so."""
        body = bytes(self._whole.body)
        await send(
            {"type": "http.response.start", "status": self._whole.status_code, "headers": self._whole.raw_headers}
        )
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        transport: Transport = scope["state"]["transport"]
        transport.close()
        await _client_gone(receive)


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
