"""What each fault does to a request and its response."""

import time
import uuid
from collections.abc import Sequence
from email.utils import formatdate

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from local.face_emulator import faults
from local.face_emulator.connection import HalfResponse, NoResponse
from local.face_emulator.errors import ServiceError
from local.face_emulator.responses import JSON, failed

_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>The gateway has a problem.</p></body></html>"


def latency(drawn: Sequence[faults.AnyFault]) -> float:
    """Return the seconds to wait before the request is read."""
    return sum(fault.seconds for fault in drawn if isinstance(fault, faults.Latency))


def instead_of_response(drawn: Sequence[faults.AnyFault]) -> ASGIApp | None:
    """Return the response of the first fault that keeps the request from the service, or None."""
    return next((response for fault in drawn if (response := _instead(fault))), None)


def altered_request(request: Request, drawn: Sequence[faults.AnyFault]) -> Request:
    """Return the request as it reaches the service."""
    if any(isinstance(fault, faults.PageRepeated) for fault in drawn):
        scope = {**request.scope, "query_string": _without_start(request.scope["query_string"])}
        return Request(scope, request.receive)
    return request


def altered_response(response: Response, drawn: Sequence[faults.AnyFault]) -> ASGIApp:
    """Return the service's response as it reaches the client."""
    for fault in drawn:
        match fault:
            case faults.BrokenJson() if response.body:
                return _with_body(response, bytes(response.body)[: len(response.body) // 2])
            case faults.PageOutOfOrder() if bytes(response.body).startswith(b"["):
                return _with_body(response, _reversed(bytes(response.body)))
            case faults.Cut(when="after"):
                return NoResponse()
            case faults.Cut(when="body"):
                return HalfResponse(response) if response.body else NoResponse()
            case _:
                pass
    return response


def _instead(fault: faults.AnyFault) -> ASGIApp | None:
    match fault:
        case faults.ErrorResponse():
            return failed(ServiceError(fault.status, fault.code, fault.message))
        case faults.Throttled():
            return _throttled(fault)
        case faults.Html():
            return HTMLResponse(_HTML.format(fault.status), fault.status)
        case faults.Redirect():
            return RedirectResponse(fault.location, 302)
        case faults.Hang():
            return NoResponse(fault.seconds)
        case faults.Cut(when="before"):
            return NoResponse()
        case _:
            return None


def _throttled(fault: faults.Throttled) -> Response:
    body: dict[str, object] = {"error": {"code": "429", "message": fault.message}}
    headers = {"apim-request-id": str(uuid.uuid4()), "x-ms-error-code": "429"}
    if fault.form == "gateway":
        body, headers = {"statusCode": 429, "message": fault.message}, {}
    if fault.retry_after is not None:
        date = formatdate(time.time() + fault.retry_after, usegmt=True)
        headers["Retry-After"] = date if fault.as_date else str(fault.retry_after)
    return Response(msgspec.json.encode(body), 429, headers, JSON)


def _without_start(query: bytes) -> bytes:
    return b"&".join(pair for pair in query.split(b"&") if not pair.startswith(b"start="))


def _reversed(page: bytes) -> bytes:
    items = msgspec.json.decode(page, type=list[msgspec.Raw])
    return msgspec.json.encode(items[::-1])


def _with_body(response: Response, body: bytes) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, response.status_code, headers)
