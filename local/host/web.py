"""The host over HTTP: its admin addresses, and the functions that are triggered by requests."""

import json
import time
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from local.host import triggers
from local.host.bindings import HttpTrigger
from local.host.errors import BindingError
from local.host.invocations import Function, Invocations
from local.host.protos import TypedData
from local.host.worker import runtime_version

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def build_web_app(functions: Sequence[Function], invocations: Invocations, route_prefix: str) -> Starlette:
    """Return the web application of a host.

    Raises:
        BindingError: a route is not understood.
    """
    admin = _Admin(functions, invocations)
    routes: list[BaseRoute] = [
        Route("/admin/host/status", admin.status),
        Route("/admin/functions", admin.list_functions),
        Route("/admin/functions/{name}", admin.show_function, methods=["GET"]),
        Route("/admin/functions/{name}", admin.run_function, methods=["POST"]),
        *(
            _http_route(function, function.bindings.trigger, invocations, route_prefix)
            for function in functions
            if isinstance(function.bindings.trigger, HttpTrigger) and not function.is_disabled
        ),
    ]
    return Starlette(routes=routes)


class _Admin:
    """The host's admin addresses (https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http)."""

    def __init__(self, functions: Sequence[Function], invocations: Invocations) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._invocations = invocations
        self._started = time.monotonic()

    async def status(self, _: Request) -> Response:
        uptime = round((time.monotonic() - self._started) * 1000)
        return JSONResponse({"state": "Running", "version": f"stand-in {runtime_version()}", "processUptime": uptime})

    async def list_functions(self, _: Request) -> Response:
        return JSONResponse([_description(function) for function in self._functions.values()])

    async def show_function(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"].lower())
        return JSONResponse(_description(function)) if function else _not_found(request)

    async def run_function(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"].lower())
        if function is None:
            return _not_found(request)
        if isinstance(function.bindings.trigger, HttpTrigger):
            return PlainTextResponse(f"{function.name} is triggered by HTTP: send its request to its route.", 400)
        try:
            text = _input_of(await request.body())
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        run = BackgroundTask(triggers.run_for_text, self._invocations, function, text)
        return Response(status_code=202, background=run)


def _input_of(body: bytes) -> str:
    """Return the input of a call, empty where its body is.

    Raises:
        ValueError: the body is not such a call.
    """
    expected = 'expected a JSON object like {"input": "some text"}'
    try:
        call = json.loads(body or b"{}")
    except ValueError as error:
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


def _http_route(function: Function, trigger: HttpTrigger, invocations: Invocations, route_prefix: str) -> Route:
    async def respond(request: Request) -> Response:
        result = await triggers.run_for_request(
            invocations,
            function,
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            query=dict(request.query_params),
            route_parameters={name: str(value) for name, value in request.path_params.items()},
            body=await request.body(),
        )
        output = result.outputs.get("$return")
        if result.failure is not None:
            return Response(status_code=500)
        return _response(output) if output else Response(status_code=204)

    route = trigger.route or function.name
    if set(":*?=") & set(route):
        raise BindingError(f"function '{function.name}': the stand-in knows no constraints in routes ('{route}').")
    path = "/".join(part for part in ("", route_prefix, route.strip("/")) if part or not route_prefix)
    return Route(
        "/" + path.lstrip("/"), respond, methods=[method.upper() for method in trigger.methods or _ALL_METHODS]
    )


def _response(output: TypedData) -> Response:
    kind = output.WhichOneof("data")
    if kind != "http":
        return PlainTextResponse(getattr(output, str(kind)))
    response = getattr(output, "http")  # noqa: B009 - a message has whatever fields it was made with
    return Response(response.body.bytes, int(response.status_code), dict(response.headers))
