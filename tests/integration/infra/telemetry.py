"""Send log records as the worker does: through the exporter of Azure Monitor."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from tests.support.application_insights import ApplicationInsights

# The exporter would report on itself to Microsoft, and ask there for its configuration.
QUIET = {
    f"APPLICATIONINSIGHTS_{of_its_own}": "true"
    for of_its_own in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED")
}


@contextmanager
def send_logs(to: ApplicationInsights, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send what loggers of the app say at information level and above until the block is left."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    exporter = AzureMonitorLogExporter(connection_string=to.connection_string, disable_offline_storage=True)
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    handler, app = LoggingHandler(logger_provider=provider), logging.getLogger("shared")
    level = app.level
    app.addHandler(handler)
    app.setLevel(logging.INFO)
    try:
        yield
    finally:
        app.removeHandler(handler)
        app.setLevel(level)
        provider.shutdown()
