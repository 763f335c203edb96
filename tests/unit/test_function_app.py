import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.functions.queue import QueueMessage

import shared
from shared.settings import SettingsError
from shared.training.messages import Message
from tests.support.builders import environment
from tests.support.fresh import load_module
from tests.support.openapi import Document

ROOT = Path(__file__).parents[2]

type Load = Callable[..., ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load the app as a new process does, with some settings changed."""

    def load(**changes: str) -> ModuleType:
        for name, value in environment(**changes).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(shared, "wiring", load_module("shared.wiring"), raising=False)
        return load_module("function_app")

    return load


def bindings(app: ModuleType) -> dict[str, dict[str, Any]]:
    """Return each function's trigger, as the host is told of it."""
    found = {}
    for function in app.app.get_functions():
        trigger, *outputs = json.loads(function.get_function_json())["bindings"]
        assert [output["type"] for output in outputs] == (["http"] if trigger["type"] == "httpTrigger" else [])
        found[function.get_function_name()] = trigger
    return found


def test_the_functions_and_their_triggers_are_as_documented(load: Load) -> None:
    queue = {"direction": "IN", "type": "queueTrigger", "connection": "DataStorage", "dataType": "BINARY"}
    timer = {"direction": "IN", "type": "timerTrigger", "name": "timer"}
    found = bindings(load())
    assert {name: each for name, each in found.items() if each["type"] != "httpTrigger"} == {
        "watch_training": {**queue, "name": "message", "queueName": "training-watch"},
        "watch_training_poison": {**queue, "name": "message", "queueName": "training-watch-poison"},
        "look_after_watches": {**timer, "schedule": "0 * * * * *", "runOnStartup": True},
        "snapshot_groups": {**timer, "schedule": "0 0 3 * * *"},
        "take_snapshot": {**queue, "name": "message", "queueName": "snapshot-requests"},
    }


def test_the_http_functions_are_those_of_the_openapi_document(load: Load) -> None:
    routes = {
        (f"/{each['route']}", method.lower(), each["authLevel"])
        for each in bindings(load()).values()
        if each["type"] == "httpTrigger"
        for method in each["methods"]
    }
    document = json.loads((ROOT / "shared/api/openapi.json").read_text(encoding="utf-8"))
    documented = {
        (path, method, "ANONYMOUS" if operation.get("security") == [] else "FUNCTION")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    }
    assert routes == documented


@pytest.mark.parametrize(("error", "status"), [(ServiceRequestError("private"), 503), (ValueError("private"), 500)])
def test_where_the_storage_or_the_app_fails_each_function_responds_with_a_problem(
    load: Load, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    app, document = load(), Document()

    def fail() -> None:
        raise error

    for job in ("requests_api", "watches_api", "snapshots_api", "health", "openapi", "ui"):
        monkeypatch.setattr(app.wiring, job, fail)
    for name, trigger in bindings(app).items():
        if trigger["type"] != "httpTrigger" or (status == 503 and name in ("get_openapi", "get_ui")):
            continue
        (method,), path = trigger["methods"], f"/{trigger['route']}"
        request = func.HttpRequest(method=method, url=f"https://app.example/api{path}", body=b"")
        response = getattr(app, name)(request)
        assert response.status_code == status
        assert response.headers.get("Retry-After") == ("10" if status == 503 else None)
        assert b"private" not in response.get_body()
        document.check(method, path, status, response.mimetype, response.get_body())


def test_behind_the_platforms_authentication_no_key_is_asked_for(load: Load) -> None:
    app = load(HTTP_AUTH="entra", WEBSITE_AUTH_ENABLED="True")
    levels = {each["authLevel"] for each in bindings(app).values() if each["type"] == "httpTrigger"}
    assert levels == {"ANONYMOUS"}
    assert 'data-auth="entra"' in page_of(app)


def test_with_keys_the_page_asks_for_one(load: Load) -> None:
    assert 'data-auth="key"' in page_of(load())


def page_of(app: ModuleType) -> str:
    request = func.HttpRequest(method="GET", url="https://app.example/api/ui", body=b"")
    return str(app.get_ui(request).get_body().decode())


def test_the_snapshots_schedule_is_a_setting(load: Load) -> None:
    found = bindings(load(SNAPSHOT_SCHEDULE="0 30 * * * *"))
    assert found["snapshot_groups"]["schedule"] == "0 30 * * * *"


def test_with_a_setting_that_cannot_be_used_no_function_is_there_to_take_a_message(load: Load) -> None:
    with pytest.raises(SettingsError, match="FACE_MAX_TPS is 'fast'"):
        load(FACE_MAX_TPS="fast")


def test_what_only_a_handled_message_needs_is_not_loaded_at_the_start() -> None:
    """A cold start imports the app before anything else."""
    heavy = ("opentelemetry", "requests", "azure.identity", "azure.storage", "azure.data", "azure.eventgrid")
    code = f"import sys, function_app; print([name for name in {heavy} if name in sys.modules])"
    variables = {**os.environ, **environment()}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n", done.stderr


class Handler:
    """Keep what it is given, in place of a job."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def handle(self, message: Message) -> None:
        self.messages.append(message)


@pytest.mark.parametrize(
    ("function", "job"), [("watch_training", "watcher"), ("watch_training_poison", "poison_handler")]
)
def test_a_queue_message_is_handed_over_as_it_came(
    load: Load, monkeypatch: pytest.MonkeyPatch, function: str, job: str
) -> None:
    app, handler = load(), Handler()
    monkeypatch.setattr(app.wiring, job, lambda: handler)
    inserted = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    for body in (b"my-group", b"\xff\x00", b""):
        message = QueueMessage(id="a1", body=body, insertion_time=inserted)  # type: ignore[no-untyped-call] # not ours
        getattr(app, function)(message)
    assert handler.messages == [Message("a1", inserted, body) for body in (b"my-group", b"\xff\x00", b"")]


def test_a_call_by_hand_which_has_neither_id_nor_time_gets_its_own(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    app, handler = load(), Handler()
    monkeypatch.setattr(app.wiring, "watcher", lambda: handler)
    for _ in range(2):
        app.watch_training(func.QueueMessage(body=b"my-group"))
    first, second = handler.messages
    assert first.id != second.id
    assert first.inserted_at.tzinfo is UTC
