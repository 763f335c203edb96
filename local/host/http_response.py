"""The response to a request, of what the worker gives back (``RpcHttp`` of FunctionRpc.proto)."""

from datetime import UTC, datetime
from typing import Any, Literal

from starlette.responses import PlainTextResponse, Response

from local.host.worker import InvocationResult

# The server writes these itself.
_OF_THE_CONNECTION = {"content-length", "transfer-encoding", "connection"}


def response_of(result: InvocationResult) -> Response:
    """Return the response that a function's end makes: 500 where it failed, 204 where it gave nothing back."""
    if result.failure is not None:
        return Response(status_code=500)
    output = result.outputs.get("$return")
    if output is None:
        return Response(status_code=204)
    kind = output.WhichOneof("data")
    value = getattr(output, str(kind))
    return _http_response(value) if kind == "http" else PlainTextResponse(value)


def _http_response(http: Any) -> Response:
    headers = {name: value for name, value in http.headers.items() if name.lower() not in _OF_THE_CONNECTION}
    response = Response(http.body.bytes, int(http.status_code), headers)
    for cookie in http.cookies or ():
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.max_age and int(cookie.max_age.value),
            expires=cookie.expires and datetime.fromtimestamp(cookie.expires.value.seconds, UTC),
            path=cookie.path.value if cookie.path else None,
            domain=cookie.domain.value if cookie.domain and cookie.domain.value else None,
            secure=bool(cookie.secure and cookie.secure.value),
            httponly=bool(cookie.http_only and cookie.http_only.value),
            samesite=_SAME_SITE[cookie.same_site],
        )
    return response


_SAME_SITE: dict[int, Literal["lax", "strict", "none"] | None] = {0: None, 1: "lax", 2: "strict", 3: "none"}
