"""The host's and the app's logs in one form on standard error: time, level, function, message, fields."""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

HOST_LOGGER = "local.host"
_DEFAULT_LEVEL = "Information"
_LEVELS = {
    "Trace": logging.DEBUG,
    "Debug": logging.DEBUG,
    "Information": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Critical": logging.CRITICAL,
    "None": logging.CRITICAL + 1,
}
# What every record has, and what this host adds. OpenTelemetry adds fields that begin with "otel".
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "function"}
_PLAIN = re.compile(r"[^\s\"=]+")
_NAMES = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def configure_logs(
    log_levels: Mapping[str, str], running_function: Callable[[], str | None], *, debug: bool = False
) -> None:
    """Send all records to standard error, filtered by host.json's ``logging.logLevel``.

    ``running_function`` returns the function that runs on the thread or task that logs. The app's records have the
    category ``Function.<name>.User``, the host's ``Function.<name>`` or ``Host``. ``debug`` lets the app's debug
    records through, which the worker otherwise drops.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_CategoryFilter(log_levels, running_function))
    handler.setFormatter(_LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    # The worker logs each indexing and invocation; the host's own lines are shorter.
    logging.getLogger("azure.functions").setLevel(logging.WARNING)


def level_of(category: str, log_levels: Mapping[str, str]) -> int:
    """Return the least level shown of a category: that of its longest prefix in ``logLevel``, else the default."""
    names = {name.lower(): level for name, level in log_levels.items()}
    parts = category.lower().split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    level = next((names[prefix] for prefix in prefixes if prefix in names), names.get("default", _DEFAULT_LEVEL))
    return _LEVELS[level]


def fields_of(record: logging.LogRecord) -> str:
    """Return the fields that a record was given beside its message, as `` outcome=succeeded polls=3``."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None}
    return "".join(f" {name}={_shown(value)}" for name, value in fields.items() if not name.startswith("otel"))


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


class _CategoryFilter(logging.Filter):
    def __init__(self, log_levels: Mapping[str, str], running_function: Callable[[], str | None]) -> None:
        super().__init__()
        self._log_levels = log_levels
        self._running_function = running_function

    def filter(self, record: logging.LogRecord) -> bool:
        function = getattr(record, "function", None) or self._running_function()
        of_host = record.name.startswith(HOST_LOGGER)
        if function is None and not of_host and record.levelno < logging.WARNING:
            return False  # chatter of the libraries that the host itself uses
        category = f"Function.{function}" if function else "Host"
        record.function = function or "host"
        return record.levelno >= level_of(category if of_host else f"{category}.User", self._log_levels)


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level = _NAMES.get(record.levelname, record.levelname)
        lines = f"{time} {level:<5} [{record.__dict__['function']}] {record.getMessage()}{fields_of(record)}"
        if record.exc_info:
            lines += f"\n{self.formatException(record.exc_info)}"
        return lines
