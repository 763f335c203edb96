"""The front door of every operation: API version, key, limit, faults, and the count of responses."""

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.face_emulator import apply_faults, errors
from local.face_emulator.responses import failed
from local.face_emulator.state import State

Handler = Callable[[Request], Awaitable[Response]]

DYNAMIC_GROUP_VERSIONS = ("v1.0-preview", "v1.1-preview.1", "v1.2-preview.1")
ALL_VERSIONS = (*DYNAMIC_GROUP_VERSIONS, "v1.0", "v1.2", "v1.3-preview.1")


class FrontDoor:
    """One operation as an ASGI app; its name is like ``largePersonGroup.train``."""

    def __init__(self, operation: str, handler: Handler, versions: Collection[str], state: State) -> None:
        self._operation = operation
        self._handler = handler
        self._versions = versions
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        self._count(request, response)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp:
        state = self._state
        try:
            self._admit(request)
            drawn = state.lots.draw(self._operation)
            state.tally.faults.update(type(fault).__name__ for fault in drawn)
            if seconds := state.latency + apply_faults.latency(drawn):
                await asyncio.sleep(seconds)
            if instead := apply_faults.instead_of_response(drawn):
                return instead
            response = await self._handler(apply_faults.altered_request(request, drawn))
        except errors.ServiceError as error:
            return failed(error)
        return apply_faults.altered_response(response, drawn)

    def _admit(self, request: Request) -> None:
        version = request.path_params["version"]
        if version not in self._versions:
            raise errors.resource_not_found()
        if not has_access(request, self._state.key):
            raise errors.unauthorized()
        if wait := self._state.bucket.take(time.monotonic()):
            raise errors.rate_exceeded(version, math.ceil(wait))

    def _count(self, request: Request, response: ASGIApp) -> None:
        status = str(response.status_code) if isinstance(response, Response) else "none"
        tally = self._state.tally
        tally.requests[self._operation, status] += 1
        kind, _, verb = self._operation.partition(".")
        if verb == "train":
            tally.train_calls[f"{kind}/{request.path_params['group_id']}", status] += 1


def has_access(request: Request, key: str | None) -> bool:
    """Return whether the request has the key (any, where ``key`` is None), or any bearer token."""
    given = request.headers.get("Ocp-Apim-Subscription-Key", "")
    if given:
        return key is None or hmac.compare_digest(given.encode(), key.encode())
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(token.strip())
