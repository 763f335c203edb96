from typing import Any

import pytest

from local.host.errors import SettingError
from local.host.host_json import HostSettings, QueueSettings, parse_host_json
from local.host.time_span import parse_time_span

PRODUCTION = {
    "version": "2.0",
    "telemetryMode": "OpenTelemetry",
    "functionTimeout": "02:00:00",
    "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
    "extensions": {
        "queues": {
            "batchSize": 8,
            "newBatchThreshold": 4,
            "maxPollingInterval": "00:00:02",
            "visibilityTimeout": "00:00:30",
            "maxDequeueCount": 3,
            "messageEncoding": "none",
        }
    },
    "logging": {"logLevel": {"default": "Warning", "Function": "Information"}},
}


def parse(data: object, environment: dict[str, str] | None = None) -> HostSettings:
    return parse_host_json(data, {"AZURE_FUNCTIONS_ENVIRONMENT": "Production", **(environment or {})}, cores=2)


def queues(**settings: Any) -> dict[str, Any]:
    return {"version": "2.0", "extensions": {"queues": settings}}


def test_a_production_file_is_read() -> None:
    settings = parse(PRODUCTION)
    assert settings.queues == QueueSettings(
        batch_size=8,
        new_batch_threshold=4,
        max_polling_interval=2.0,
        visibility_timeout=30.0,
        max_dequeue_count=3,
        message_encoding="none",
    )
    assert settings.function_timeout == 7200
    assert settings.log_levels == {"default": "Warning", "Function": "Information"}


def test_the_defaults_are_the_hosts() -> None:
    settings = parse({"version": "2.0"})
    assert settings.queues == QueueSettings(
        batch_size=16,
        new_batch_threshold=16,  # for two cores
        max_polling_interval=60.0,
        visibility_timeout=0.0,
        max_dequeue_count=5,
        message_encoding="base64",
    )
    assert settings.route_prefix == "api"
    assert settings.function_timeout == 1800


@pytest.mark.parametrize("environment", [{}, {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}])
def test_in_the_development_environment_the_default_wait_between_polls_is_two_seconds(
    environment: dict[str, str],
) -> None:
    assert parse_host_json({"version": "2.0"}, environment, cores=2).queues.max_polling_interval == 2
    set_by_the_app = parse_host_json(queues(maxPollingInterval="00:00:05"), environment, cores=2)
    assert set_by_the_app.queues.max_polling_interval == 5


@pytest.mark.parametrize(
    ("data", "name", "known"),
    [
        ({"version": "2.0", "healthMonitor": {}}, "healthMonitor", "functionTimeout"),
        ({"version": "2.0", "retry": {}}, "retry", "extensions"),
        ({"version": "2.0", "extensions": {"blobs": {}}}, "blobs", "queues, http"),
        (queues(batchsize=1, visibilityTimout="00:00:01"), "visibilityTimout", "visibilityTimeout"),
        ({"version": "2.0", "logging": {"logLevels": {}}}, "logLevels", "logLevel"),
        ({"version": "2.0", "logging": {"applicationInsights": {}}}, "applicationInsights", "logLevel"),
    ],
)
def test_a_setting_that_is_not_known_is_rejected_with_what_is(data: object, name: str, known: str) -> None:
    with pytest.raises(SettingError, match=f"'{name}' is not known here. Known: .*{known}"):
        parse(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected an object"),
        ({}, "version"),
        ({"version": "1.0"}, "version"),
        (queues(batchSize=0), "batchSize is 0; expected 1 to 32"),
        (queues(batchSize=33), "batchSize is 33; expected 1 to 32"),
        (queues(batchSize="many"), "batchSize"),
        (queues(newBatchThreshold=-1), "newBatchThreshold is -1; expected 0 or more"),
        (queues(maxDequeueCount=0), "maxDequeueCount is 0; expected 1 or more"),
        (queues(maxPollingInterval="00:00:00.05"), "maxPollingInterval is 00:00:00.05; expected 00:00:00.1 or more"),
        (queues(maxPollingInterval="2"), "maxPollingInterval is '2'; expected"),
        (queues(visibilityTimeout="24:00:00"), "visibilityTimeout is '24:00:00'; .*1.00:00:00"),
        (queues(messageEncoding="utf8"), "messageEncoding is 'utf8'; expected base64 or none"),
        ({"version": "2.0", "functionTimeout": "soon"}, "functionTimeout is 'soon'"),
        ({"version": "2.0", "logging": {"logLevel": {"default": "Loud"}}}, "Loud"),
    ],
)
def test_a_value_that_is_not_allowed_is_rejected(data: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parse(data)


def test_names_are_read_whatever_their_case() -> None:
    assert parse({"Version": "2.0", "Extensions": {"Queues": {"BATCHSIZE": 4}}}).queues.batch_size == 4


def test_the_environment_overrides_the_file() -> None:
    environment = {
        "AzureFunctionsJobHost__extensions__queues__batchSize": "2",
        "AzureFunctionsJobHost__Extensions__Queues__MessageEncoding": "Base64",
    }
    settings = parse(queues(batchSize=8, messageEncoding="none"), environment)
    assert settings.queues.batch_size == 2
    assert settings.queues.message_encoding == "base64"


def test_an_override_that_is_not_known_is_rejected() -> None:
    with pytest.raises(SettingError, match="'batches' is not known here"):
        parse(queues(), {"AzureFunctionsJobHost__extensions__queues__batches": "2"})


def test_a_function_timeout_may_be_switched_off() -> None:
    assert parse({"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:30", 30), ("1.12:00:00", 129_600), ("00:00:00.25", 0.25), ("00:05", 300)]
)
def test_a_time_span_is_read(text: str, seconds: float) -> None:
    assert parse_time_span(text, "it") == pytest.approx(seconds)
