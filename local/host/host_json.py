"""``host.json``: the settings of the host (https://learn.microsoft.com/azure/azure-functions/functions-host-json)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from local.host import strict
from local.host.errors import SettingError
from local.host.time_span import parse_time_span

# AzureFunctionsJobHost__extensions__queues__batchSize=4 overrides that setting of host.json.
OVERRIDE_PREFIX = "AzureFunctionsJobHost__"

DEFAULT_FUNCTION_TIMEOUT_SECONDS = 30 * 60.0
MIN_POLLING_INTERVAL_SECONDS = 0.1
DEFAULT_MAX_POLLING_INTERVAL_SECONDS = 60.0
# What the default is in the Development environment (``AddAzureStorageQueues`` in Azure/azure-sdk-for-net).
DEVELOPMENT_MAX_POLLING_INTERVAL_SECONDS = 2.0
MAX_BATCH_SIZE = 32

type LogLevel = Literal["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]


class _Section(msgspec.Struct, frozen=True, rename="camel"):
    pass


class _Queues(_Section, frozen=True):
    batch_size: int = 16
    new_batch_threshold: int | None = None
    max_polling_interval: str = "00:01:00"
    visibility_timeout: str = "00:00:00"
    max_dequeue_count: int = 5
    message_encoding: str = "base64"


class _Http(_Section, frozen=True):
    route_prefix: str = "api"


class _Extensions(_Section, frozen=True):
    queues: _Queues = _Queues()
    http: _Http = _Http()


class _Logging(_Section, frozen=True):
    log_level: dict[str, LogLevel] = {}


class _ExtensionBundle(_Section, frozen=True):
    id: str
    version: str


class _HostJson(_Section, frozen=True):
    version: Literal["2.0"]
    logging: _Logging = _Logging()
    extension_bundle: _ExtensionBundle | None = None
    function_timeout: str | None = None
    telemetry_mode: Literal["ApplicationInsights", "OpenTelemetry"] = "ApplicationInsights"
    extensions: _Extensions = _Extensions()


class QueueSettings(msgspec.Struct, frozen=True):
    """The settings of queue listeners; times are in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: float = DEFAULT_MAX_POLLING_INTERVAL_SECONDS
    visibility_timeout: float = 0.0
    max_dequeue_count: int = 5
    message_encoding: Literal["base64", "none"] = "base64"


class HostSettings(msgspec.Struct, frozen=True):
    """The settings of a host."""

    queues: QueueSettings
    route_prefix: str
    log_levels: Mapping[str, str]
    function_timeout: float | None  # seconds; None: no limit


def read_host_json(
    app_directory: Path, environment: Mapping[str, str], *, cores: int | None = os.cpu_count()
) -> HostSettings:
    """Return the settings of the app's ``host.json``, with the environment's overrides.

    ``cores`` is the machine's number of cores, on which the default of ``newBatchThreshold`` depends.

    Raises:
        SettingError: the file is missing or malformed, or has a setting that the stand-in does not know.
    """
    path = app_directory / "host.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingError(
            f"Found no {path}. Run the host in the folder of a Functions app, or name it by --app."
        ) from None
    except ValueError as error:
        raise SettingError(f"{path} is not JSON: {error}.") from None
    return parse_host_json(data, environment, cores=cores or 1)


def parse_host_json(data: object, environment: Mapping[str, str], *, cores: int) -> HostSettings:
    """Return the settings that a ``host.json`` holds.

    Raises:
        SettingError: it is malformed, or has a setting that the stand-in does not know.
    """
    if not isinstance(data, dict):
        raise SettingError("host.json: expected an object.")
    for name, value in environment.items():
        if name.startswith(OVERRIDE_PREFIX):
            _override(data, name.removeprefix(OVERRIDE_PREFIX).split("__"), value)
    try:
        parsed = strict.convert(data, _HostJson, "host.json")
    except strict.UnknownNameError as error:
        raise SettingError(f"{error} The stand-in rejects what it would otherwise ignore.") from None
    except msgspec.ValidationError as error:
        raise SettingError(f"host.json: {error}.") from None
    return HostSettings(
        queues=_queue_settings(parsed.extensions.queues, cores, development=_is_development(environment)),
        route_prefix=parsed.extensions.http.route_prefix.strip("/"),
        log_levels=parsed.logging.log_level,
        function_timeout=_function_timeout(parsed.function_timeout),
    )


def _is_development(environment: Mapping[str, str]) -> bool:
    return environment.get("AZURE_FUNCTIONS_ENVIRONMENT", "Development").lower() == "development"


def _override(data: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for name in parents:
        data = data.setdefault(_spelling(data, name), {})
        if not isinstance(data, dict):
            raise SettingError(f"{OVERRIDE_PREFIX}{'__'.join(path)}: '{name}' is not a section of host.json.")
    data[_spelling(data, last)] = value


def _spelling(data: Mapping[str, object], name: str) -> str:
    return next((known for known in data if known.lower() == name.lower()), name)


def _queue_settings(queues: _Queues, cores: int, *, development: bool) -> QueueSettings:
    where = "host.json: extensions: queues"
    interval = parse_time_span(queues.max_polling_interval, f"{where}: maxPollingInterval")
    encoding = queues.message_encoding.lower()
    if encoding not in ("base64", "none"):
        raise SettingError(f"{where}: messageEncoding is '{queues.message_encoding}'; expected base64 or none.")
    if not 1 <= queues.batch_size <= MAX_BATCH_SIZE:
        raise SettingError(f"{where}: batchSize is {queues.batch_size}; expected 1 to {MAX_BATCH_SIZE}.")
    if queues.new_batch_threshold is not None and queues.new_batch_threshold < 0:
        raise SettingError(f"{where}: newBatchThreshold is {queues.new_batch_threshold}; expected 0 or more.")
    if queues.max_dequeue_count < 1:
        raise SettingError(f"{where}: maxDequeueCount is {queues.max_dequeue_count}; expected 1 or more.")
    if interval < MIN_POLLING_INTERVAL_SECONDS:
        raise SettingError(
            f"{where}: maxPollingInterval is {queues.max_polling_interval}; expected 00:00:00.1 or more."
        )
    if development and interval == DEFAULT_MAX_POLLING_INTERVAL_SECONDS:
        interval = DEVELOPMENT_MAX_POLLING_INTERVAL_SECONDS
    return QueueSettings(
        batch_size=queues.batch_size,
        new_batch_threshold=default_new_batch_threshold(queues.batch_size, cores)
        if queues.new_batch_threshold is None
        else queues.new_batch_threshold,
        max_polling_interval=interval,
        visibility_timeout=parse_time_span(queues.visibility_timeout, f"{where}: visibilityTimeout"),
        max_dequeue_count=queues.max_dequeue_count,
        message_encoding="base64" if encoding == "base64" else "none",
    )


def default_new_batch_threshold(batch_size: int, cores: int) -> int:
    """Return the number of running functions at which the next batch is fetched, where host.json names none."""
    return batch_size // 2 * cores


def _function_timeout(text: str | None) -> float | None:
    if text is None:
        return DEFAULT_FUNCTION_TIMEOUT_SECONDS
    return None if text == "-1" else parse_time_span(text, "host.json: functionTimeout")
