import json
from typing import Any

import pytest

from local.host.bindings import (
    HttpOutput,
    HttpTrigger,
    QueueOutput,
    QueueTrigger,
    TimerTrigger,
    parse_bindings,
)
from local.host.errors import BindingError

QUEUE = {"type": "queueTrigger", "name": "message", "direction": "IN", "queueName": "work", "connection": "Data"}
TIMER = {"type": "timerTrigger", "name": "timer", "direction": "IN", "schedule": "0 * * * * *"}
HTTP = {"type": "httpTrigger", "name": "req", "direction": "IN", "authLevel": "ANONYMOUS", "methods": ["GET"]}


def parse(*bindings: dict[str, Any], **settings: str) -> Any:
    return parse_bindings("work", [json.dumps(binding) for binding in bindings], settings)


def test_each_trigger_is_read() -> None:
    assert parse(QUEUE).trigger == QueueTrigger(
        name="message", type="queueTrigger", direction="IN", queue_name="work", connection="Data"
    )
    assert parse(TIMER | {"runOnStartup": True}).trigger == TimerTrigger(
        name="timer", type="timerTrigger", direction="IN", schedule="0 * * * * *", run_on_startup=True
    )
    assert parse(HTTP).trigger == HttpTrigger(
        name="req", type="httpTrigger", direction="IN", auth_level="ANONYMOUS", methods=["GET"]
    )


def test_outputs_are_read() -> None:
    outputs = parse(
        HTTP,
        {"type": "http", "name": "$return", "direction": "OUT"},
        {"type": "queue", "name": "done", "direction": "OUT", "queueName": "done"},
    ).outputs
    assert outputs == [
        HttpOutput(name="$return", type="http", direction="OUT"),
        QueueOutput(name="done", type="queue", direction="OUT", queue_name="done"),
    ]


def test_settings_are_put_in_for_their_names() -> None:
    assert parse(QUEUE | {"queueName": "%QUEUE%"}, QUEUE="other").trigger.queue_name == "other"
    assert parse(TIMER | {"schedule": "%SCHEDULE%"}, SCHEDULE="0 0 3 * * *").trigger.schedule == "0 0 3 * * *"


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        ([{"type": "blobTrigger", "name": "blob", "direction": "IN"}], "'blob' .blobTrigger.: the stand-in does not"),
        ([QUEUE, {"type": "blob", "name": "b", "direction": "OUT"}], "'b' .blob.*Known: queueTrigger, timerTrigger"),
        ([QUEUE, {"type": "queue", "name": "q", "direction": "IN", "queueName": "q"}], "does not know this binding"),
        ([QUEUE | {"cardinality": "MANY"}], "'cardinality' is not known here. Known: .*queueName"),
        ([QUEUE | {"dataType": "STREAM"}], "STREAM"),
        ([TIMER | {"schedule": "%NONE%"}], "'%NONE%' names no app setting"),
        ([QUEUE, TIMER], "found 2 triggers; expected one"),
        ([], "found 0 triggers; expected one"),
    ],
)
def test_what_the_host_does_not_know_is_rejected(bindings: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(BindingError, match=f"function 'work'.*{message}"):
        parse(*bindings)
