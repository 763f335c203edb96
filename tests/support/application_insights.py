"""A stand-in for the ingestion of Application Insights, which keeps what is sent there."""

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
    """A row of the table ``AppTraces``, where all properties are text."""

    message: str
    properties: dict[str, str]


@dataclass
class ApplicationInsights:
    """What was sent, and the connection string by which to send."""

    connection_string: str
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def traces(self) -> list[Trace]:
        """Return the log records among what was sent."""
        sent = [item["data"]["baseData"] for item in self.items if item["data"]["baseType"] == "MessageData"]
        return [Trace(data["message"], data.get("properties", {})) for data in sent]


@contextmanager
def start_application_insights() -> Iterator[ApplicationInsights]:
    """Receive telemetry on a free port of the loopback interface until the block is left."""
    items: list[dict[str, Any]] = []

    class Ingestion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if not self.path.endswith("/track"):  # live metrics, which no test reads
                self._respond({})
                return
            sent = json.loads(body)
            items.extend(sent)
            self._respond({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []})

        def _respond(self, response: object) -> None:
            body = json.dumps(response).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Log nothing."""

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
