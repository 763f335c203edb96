"""The functions that are triggered by HTTP: which request reaches which, and who may send it.

A request is answered as ``FunctionInvocationMiddleware`` in Azure/azure-functions-host does it: 404 where no route fits
path and method, 401 without a key that opens the function, 500 where it fails.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local.host import triggers
from local.host.bindings import HttpTrigger
from local.host.errors import BindingError
from local.host.http_response import response_of
from local.host.http_route import HttpRoute
from local.host.invocations import Function, Invocations
from local.host.keys import HEADER, QUERY_PARAMETER, Keys, Level, is_open


class _Endpoint(msgspec.Struct, frozen=True):
    """A function with its route."""

    function: Function
    route: HttpRoute
    methods: frozenset[str] | None  # None: all
    level: Level


class HttpFunctions:
    """The functions of an app that are triggered by HTTP. Without ``keys`` none are asked for, as in ``func start``."""

    def __init__(
        self,
        functions: Sequence[Function],
        invocations: Invocations,
        *,
        route_prefix: str,
        max_body: int,
        keys: Keys | None,
    ) -> None:
        """Read the routes; bodies are bounded to ``max_body`` bytes.

        Raises:
            BindingError: a route is malformed, or has what the stand-in does not know.
        """
        self._endpoints = [
            _endpoint(function, function.bindings.trigger, route_prefix)
            for function in functions
            if isinstance(function.bindings.trigger, HttpTrigger)
        ]
        self._invocations = invocations
        self._max_body = max_body
        self._keys = keys

    async def respond(self, request: Request) -> Response:
        """Run the function that the request is for, and return its response."""
        endpoint, values = self._find(request)
        if endpoint is None or values is None:
            return Response(status_code=404)
        level = given_level(request, self._keys, endpoint.function.name)
        if not is_open(endpoint.level, level):
            return Response(status_code=401)
        if endpoint.function.is_disabled and level != "ADMIN":
            return Response(status_code=404)
        body = await read_body(request, self._max_body)
        if body is None:
            return PlainTextResponse(f"Found a body of more than {self._max_body} bytes.", 413)
        result = await triggers.run_for_request(
            self._invocations,
            endpoint.function,
            method=request.method,
            url=str(request.url),
            headers=_joined(request.headers.items()),
            query={name: value for name, value in _joined(request.query_params.multi_items()).items() if value},
            route_parameters=values,
            body=body,
        )
        return response_of(result)

    def _find(self, request: Request) -> tuple[_Endpoint | None, Mapping[str, str] | None]:
        path = request.scope["raw_path"].decode("ascii")
        for endpoint in self._endpoints:
            if endpoint.methods is None or request.method in endpoint.methods:
                values = endpoint.route.match(path)
                if values is not None:
                    return endpoint, values
        return None, None


def given_level(request: Request, keys: Keys | None, function_name: str | None = None) -> Level:
    """Return what the request's key opens: that of the header, else that of the address."""
    if keys is None:
        return "ADMIN"
    key = request.headers.get(HEADER)
    return keys.level_of(request.query_params.get(QUERY_PARAMETER, "") if key is None else key, function_name)


async def read_body(request: Request, most: int) -> bytes | None:
    """Return the request's body, or None where it has more bytes than ``most``."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs with the values of a name that comes again joined by commas, as ASP.NET Core joins them."""
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        values[name].append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _endpoint(function: Function, trigger: HttpTrigger, route_prefix: str) -> _Endpoint:
    template = (trigger.route or function.name).strip("/")
    try:
        route = HttpRoute(f"{route_prefix}/{template}")
    except BindingError as error:
        raise BindingError(f"function '{function.name}': {error}") from None
    methods = None if trigger.methods is None else frozenset(method.upper() for method in trigger.methods)
    return _Endpoint(function, route, methods, trigger.auth_level)
