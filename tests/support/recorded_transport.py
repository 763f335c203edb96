"""A transport of the storage's clients that writes down each call, and loses responses where it is told to."""

import json
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from azure.core.pipeline.transport import HttpRequest, HttpResponse, RequestsTransport

_WRITES = ("POST", "PUT", "DELETE", "PATCH", "MERGE")


class Call(NamedTuple):
    """One call of the storage."""

    method: str
    path: str
    keys: tuple[str, ...]  # row keys of the table's rows that came back


class RecordedTransport(RequestsTransport):  # type: ignore[misc] # azure-core's transports have no types
    """Carries requests; may be shared by clients and threads.

    So many ``losses`` of the next responses to writes turn into a 503, though the write was done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.losses = 0

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        response: HttpResponse = super().send(request, **options)
        path = unquote(urlsplit(request.url).path)
        self.calls.append(Call(request.method, path, _keys(response) if request.method == "GET" else ()))
        if request.method in _WRITES and self.losses:
            self.losses -= 1
            response.status_code = 503
        return response


def _keys(response: HttpResponse) -> tuple[str, ...]:
    content = response.internal_response
    if response.status_code != 200 or "json" not in content.headers.get("Content-Type", ""):
        return ()
    body = json.loads(content.content)
    return tuple(str(row.get("RowKey")) for row in body.get("value", [body]))
