"""The host over HTTP: its admin addresses, and the functions that are triggered by requests."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, request_response

from local.host import triggers
from local.host.bindings import HttpTrigger
from local.host.http_functions import HttpFunctions, given_level, read_body
from local.host.invocations import Function, Invocations
from local.host.keys import Keys
from local.host.worker import runtime_version
from local.loopback import LoopbackOnly


def build_web_app(
    functions: Sequence[Function], invocations: Invocations, *, route_prefix: str, max_body: int, keys: Keys | None
) -> Starlette:
    """Return the web application of a host; bodies are bounded to ``max_body`` bytes.

    Raises:
        BindingError: a route is malformed, or has what the stand-in does not know.
    """
    admin = _Admin(functions, invocations, max_body, keys)
    http = HttpFunctions(functions, invocations, route_prefix=route_prefix, max_body=max_body, keys=keys)
    return Starlette(
        routes=[
            Route("/admin/host/ping", _ping, methods=["GET", "POST"]),
            Route("/admin/host/status", admin.status),
            Route("/admin/functions", admin.list_functions),
            Route("/admin/functions/{name}", admin.show_function, methods=["GET"]),
            Route("/admin/functions/{name}", admin.run_function, methods=["POST"]),
            Mount("/", request_response(http.respond)),  # whatever the method
        ],
        middleware=[Middleware(LoopbackOnly)],
    )


async def _ping(_: Request) -> Response:
    return Response(status_code=200)


def _for_admins[A: _Admin](
    respond: Callable[[A, Request], Awaitable[Response]],
) -> Callable[[A, Request], Awaitable[Response]]:
    """Have an address ask for the master key."""

    async def respond_to_admins(admin: A, request: Request) -> Response:
        if given_level(request, admin.keys) != "ADMIN":
            return Response(status_code=401)
        return await respond(admin, request)

    return respond_to_admins


class _Admin:
    """The host's admin addresses (https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http)."""

    def __init__(
        self, functions: Sequence[Function], invocations: Invocations, max_body: int, keys: Keys | None
    ) -> None:
        self.keys = keys
        self._functions = {function.name.lower(): function for function in functions}
        self._invocations = invocations
        self._max_body = max_body
        self._started = time.monotonic()

    @_for_admins
    async def status(self, _: Request) -> Response:
        uptime = round((time.monotonic() - self._started) * 1000)
        return JSONResponse({"state": "Running", "version": f"stand-in {runtime_version()}", "processUptime": uptime})

    @_for_admins
    async def list_functions(self, _: Request) -> Response:
        return JSONResponse([_description(function) for function in self._functions.values()])

    @_for_admins
    async def show_function(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"].lower())
        return JSONResponse(_description(function)) if function else _not_found(request)

    @_for_admins
    async def run_function(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"].lower())
        if function is None:
            return _not_found(request)
        if isinstance(function.bindings.trigger, HttpTrigger):
            return PlainTextResponse(f"{function.name} is triggered by HTTP: send its request to its route.", 400)
        try:
            text = _input_of(await read_body(request, self._max_body))
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        run = BackgroundTask(triggers.run_for_text, self._invocations, function, text)
        return Response(status_code=202, background=run)


def _input_of(body: bytes | None) -> str:
    """Return the input of a call, empty where its body is; a body of None was too long.

    Raises:
        ValueError: the body is not such a call.
    """
    expected = 'expected a JSON object like {"input": "some text"}'
    if body is None:
        raise ValueError(f"The request's body is too long; {expected}.")
    try:
        call = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The request's body is not JSON ({error}); {expected}.") from None
    text = (call.get("input") or "") if isinstance(call, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"Found no text in the request's body; {expected}.")  # noqa: TRY004 - one error for the caller
    return text


def _not_found(request: Request) -> Response:
    return PlainTextResponse(f"Found no function '{request.path_params['name']}'. See /admin/functions.", 404)


def _description(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": function.is_disabled,
        "config": {"bindings": [json.loads(raw) for raw in function.indexed.raw_bindings]},
    }
