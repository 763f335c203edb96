"""Stand in for the ingestion of Application Insights, and keep what is sent there."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass(frozen=True)
class Trace:
    """Hold one row of the table ``AppTraces``: all properties are text there."""

    message: str
    properties: dict[str, str]


@dataclass
class ApplicationInsights:
    """Hold what was sent, and the connection string by which to send."""

    connection_string: str
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def traces(self) -> list[Trace]:
        """Return the log records among what was sent."""
        sent = [item["data"]["baseData"] for item in self.items if item["data"]["baseType"] == "MessageData"]
        return [Trace(data["message"], data.get("properties", {})) for data in sent]


@contextmanager
def start_application_insights() -> Iterator[ApplicationInsights]:
    """Take telemetry on a free port of the loopback interface until the block is left."""
    items: list[dict[str, Any]] = []

    class Ingestion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if not self.path.endswith("/track"):  # live metrics, which nobody looks at here
                self._answer({})
                return
            sent = json.loads(body)
            items.extend(sent)
            self._answer({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []})

        def _answer(self, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing of each request."""

    with HTTPServer(("127.0.0.1", 0), Ingestion) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/"
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000001"
        try:
            yield ApplicationInsights(f"{key};IngestionEndpoint={address};LiveEndpoint={address}", items)
        finally:
            server.shutdown()
            thread.join()
