"""Responses in the service's form: the headers that were recorded, bodies without spaces."""

import uuid

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from local.face_emulator.errors import ServiceError
from local.face_emulator.kinds import Kind

JSON = "application/json; charset=utf-8"

_ALWAYS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "x-ms-region": "East Asia",
}
_BILLED = {"CSP-Billing-Usage": "CognitiveServices.Face.Transaction=1"}


def versioned(request: Request) -> str:
    """Return the service's address as the request has it, with the API version."""
    return f"http://{request.headers['host']}/face/{request.path_params['version']}"


def succeeded(content: bytes, kind: Kind | None = None) -> Response:
    """Return a 200 with that JSON."""
    return Response(content, 200, _headers(kind), JSON)


def emptied(kind: Kind) -> Response:
    """Return a 200 with no body."""
    return Response(status_code=200, headers=_headers(kind))


def accepted(operation_location: str, kind: Kind | None = None) -> Response:
    """Return a 202 with the address of the outcome."""
    location = {"Operation-Location": operation_location, "Access-Control-Expose-Headers": "Operation-Location"}
    return Response(status_code=202, headers=_headers(kind) | location)


def failed(error: ServiceError) -> Response:
    """Return an error response: the code in a header, code and message in the body."""
    headers = _ALWAYS | {"apim-request-id": str(uuid.uuid4()), "x-ms-error-code": error.code}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    body = {"error": {"code": error.code, "message": error.message}}
    return Response(msgspec.json.encode(body), error.status, headers, JSON)


def _headers(kind: Kind | None) -> dict[str, str]:
    if kind and kind.older_backend:
        return _ALWAYS | _BILLED
    own = {"apim-request-id": str(uuid.uuid4()), "x-envoy-upstream-service-time": "13"}
    return _ALWAYS | _BILLED | own
