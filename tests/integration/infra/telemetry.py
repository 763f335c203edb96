"""See log records as Application Insights would: sent by the exporter that the worker sets up, to a server of ours."""

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor


@dataclass(frozen=True)
class Trace:
    """Hold one row of the table ``AppTraces``: all properties are text there."""

    message: str
    severity: str
    properties: dict[str, str]


@contextmanager
def application_insights(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Trace]]:
    """Send what loggers of the app say at information level and above, and yield the rows that it makes."""
    rows: list[Trace] = []

    class Ingestion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            items = json.loads(body)
            rows.extend(_row(item["data"]["baseData"]) for item in items if item["data"]["baseType"] == "MessageData")
            answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing of each request."""

    # The exporter would report on itself to Microsoft, and ask there for its configuration.
    for of_its_own in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{of_its_own}", "true")
    with HTTPServer(("127.0.0.1", 0), Ingestion) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/"
        exporter = AzureMonitorLogExporter(
            connection_string=f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={address}",
            disable_offline_storage=True,
        )
        provider = LoggerProvider()
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        handler, app = LoggingHandler(logger_provider=provider), logging.getLogger("shared")
        level = app.level
        app.addHandler(handler)
        app.setLevel(logging.INFO)
        try:
            yield rows
        finally:
            app.removeHandler(handler)
            app.setLevel(level)
            provider.shutdown()
            server.shutdown()
            thread.join()


def _row(data: dict[str, Any]) -> Trace:
    return Trace(data["message"], data["severityLevel"], data.get("properties", {}))
