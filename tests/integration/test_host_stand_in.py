"""The stand-in host as a process, with the production worker's code and a real app in it."""

import base64
import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from local import processes
from local.azurite import Azurite, Ports, connection_string, new_account, start_azurite
from local.host.worker import runtime_version
from tests.support.stand_in_host import APPS, StandInHost, run_stand_in, settings_of_basic, start_stand_in
from tests.support.waiting import wait_for

BASIC = APPS / "basic"
TIMEOUT_SECONDS = 30.0


@dataclass
class App:
    """The app ``basic`` with its queues, for a host that the test starts."""

    settings: dict[str, str]
    queues: QueueServiceClient

    def send(self, body: str, queue: str = "WORK_QUEUE") -> None:
        self.queues.get_queue_client(self.settings[queue]).send_message(body)

    def texts(self, queue: str, suffix: str = "") -> list[str]:
        with suppress(ResourceNotFoundError):
            messages = self.queues.get_queue_client(self.settings[queue] + suffix).peek_messages(32)
            return [message.content for message in messages]
        return []

    def reports(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many reports of the app's functions."""
        wait_for(lambda: len(self.texts("DONE_QUEUE")) >= count, what=f"{count} reports")
        return [json.loads(text) for text in self.texts("DONE_QUEUE")]


def wait_for_line(host: StandInHost, text: str) -> str:
    return host.child.wait_for(
        lambda lines: next((line for line in lines if text in line), None), timeout=TIMEOUT_SECONDS, what=text
    )


@pytest.fixture
def app(azurite: Azurite) -> Iterator[App]:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
        app = App(settings_of_basic(azurite.connection_string), queues)
        queues.create_queue(app.settings["WORK_QUEUE"])
        queues.create_queue(app.settings["RAW_QUEUE"])
        yield app


@pytest.fixture
def host(app: App) -> Iterator[StandInHost]:
    with start_stand_in(BASIC, app.settings) as host:
        yield host


def write_app(folder: Path, function_app: str, host_json: str = '{"version": "2.0"}') -> Path:
    (folder / "host.json").write_text(host_json, encoding="utf-8")
    (folder / "function_app.py").write_text(function_app, encoding="utf-8")
    return folder


# What it says


def test_it_says_that_it_is_a_stand_in_and_what_it_drives(host: StandInHost) -> None:
    assert host.child.tail()[0] == (
        f"This is a stand-in for Azure Functions Core Tools. It drives azure-functions-runtime {runtime_version()}."
    )


def test_its_status_is_running(host: StandInHost) -> None:
    status = requests.get(f"{host.url}/admin/host/status", timeout=TIMEOUT_SECONDS).json()
    assert status["state"] == "Running"


def test_it_lists_the_functions(host: StandInHost) -> None:
    functions = requests.get(f"{host.url}/admin/functions", timeout=TIMEOUT_SECONDS).json()
    assert [function["name"] for function in functions] == ["work", "work_raw", "tick", "greet"]
    one = requests.get(f"{host.url}/admin/functions/Tick", timeout=TIMEOUT_SECONDS).json()
    assert one["config"]["bindings"][1]["type"] == "timerTrigger"


def test_the_apps_log_names_the_function(app: App, host: StandInHost) -> None:
    app.send("a")
    app.send("a", "RAW_QUEUE")
    assert wait_for_line(host, "working on a").endswith("INFO  [work] working on a attempt=1")
    assert "INFO  [work_raw] working" in wait_for_line(host, "working asynchronously")


# Queue triggers


@pytest.mark.usefixtures("host")
def test_a_message_reaches_the_function_as_in_azure(app: App) -> None:
    app.send("my-group")
    (report,) = app.reports()
    assert report["body"] == "my-group"
    assert report["dequeueCount"] == 1
    assert report["messageId"]
    assert report["inserted"].startswith("20")
    assert "ThreadPoolExecutor" in report["thread"]


def test_a_string_bound_body_that_names_metadata_keeps_the_function_from_being_called(
    app: App, host: StandInHost
) -> None:
    app.send('{"insertionTime": "2026-01-31T10:00:00Z"}')
    app.send('{"dequeueCount": "many"}')
    wait_for(lambda: len(app.texts("WORK_QUEUE", "-poison")) == 2, what="two poisoned messages")
    assert app.texts("DONE_QUEUE") == []
    assert not any("working on" in line for line in host.child.tail())


@pytest.mark.usefixtures("host")
def test_a_string_bound_body_may_hide_the_messages_id(app: App) -> None:
    app.send('{"ID": "own", "nested": {}, "dequeueCount": null}')
    (report,) = app.reports()
    assert report["messageId"] == "own"
    assert report["dequeueCount"] == 1


@pytest.mark.usefixtures("host")
def test_a_bytes_bound_body_that_names_metadata_is_left_alone(app: App) -> None:
    app.send('{"dequeueCount": "many"}', "RAW_QUEUE")
    assert app.reports() == [{"body": '{"dequeueCount": "many"}', "dequeueCount": 1}]


def test_a_body_that_is_not_utf8_reaches_only_a_function_that_takes_bytes(app: App) -> None:
    app.settings["AzureFunctionsJobHost__extensions__queues__messageEncoding"] = "base64"
    latin_1 = base64.b64encode("grün".encode("latin-1")).decode()
    app.send(latin_1)
    app.send(latin_1, "RAW_QUEUE")
    with start_stand_in(BASIC, app.settings) as host:
        wait_for(lambda: app.texts("WORK_QUEUE", "-poison") == [latin_1], what="the poisoned message")
        wait_for(lambda: app.texts("DONE_QUEUE"), what="the report of the other function")
        (report,) = [json.loads(base64.b64decode(text)) for text in app.texts("DONE_QUEUE")]
        assert report["body"] == "gr\ufffdn"
        assert sum("the function was not called" in line for line in host.child.tail()) == 5
        assert not any("working on" in line for line in host.child.tail())


def test_a_function_that_raises_is_tried_five_times_and_its_message_poisoned(app: App, host: StandInHost) -> None:
    app.send("fail")
    wait_for(lambda: app.texts("WORK_QUEUE", "-poison") == ["fail"], what="the poisoned message")
    assert sum("working on fail" in line for line in host.child.tail()) == 5
    assert any("ValueError: asked to fail" in line for line in host.child.tail())


def test_a_killed_host_leaves_its_message_hidden(app: App, host: StandInHost) -> None:
    app.send("sleep 600")
    wait_for_line(host, "working on sleep")
    assert host.child.kill() == -9
    queue = app.queues.get_queue_client(app.settings["WORK_QUEUE"])
    assert queue.get_queue_properties().approximate_message_count == 1
    assert queue.receive_message() is None


def test_a_disabled_function_gets_nothing(app: App) -> None:
    app.send("a")
    app.send("a", "RAW_QUEUE")
    with start_stand_in(BASIC, app.settings | {"AzureWebJobs.work.Disabled": "true"}):
        assert [report["body"] for report in app.reports()] == ["a"]
    assert app.texts("WORK_QUEUE") == ["a"]


def test_storage_that_starts_after_the_host_is_waited_for() -> None:
    port = processes.free_port()
    account = new_account()
    settings = settings_of_basic(connection_string(Ports(blob=1, queue=port, table=1), account))
    with start_stand_in(BASIC, settings) as host:
        wait_for_line(host, "does not respond")
        with (
            start_azurite(ports=Ports(queue=port), account=account) as azurite,
            QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
        ):
            app = App(settings, queues)
            queues.create_queue(settings["WORK_QUEUE"])
            app.send("late")
            assert app.reports()[0]["body"] == "late"


# Timer and HTTP triggers, and the admin addresses


def test_a_timer_fires(app: App) -> None:
    with start_stand_in(BASIC, app.settings | {"SCHEDULE": "* * * * * *"}):
        assert app.reports(2)[:2] == [{"tick": True, "pastDue": False}] * 2


def test_a_queue_function_is_run_through_the_admin_address(app: App, host: StandInHost) -> None:
    response = requests.post(f"{host.url}/admin/functions/work", json={"input": "mine"}, timeout=TIMEOUT_SECONDS)
    assert response.status_code == 202
    (report,) = app.reports()
    assert report["body"] == "mine"
    assert report["messageId"] is None


def test_a_timer_function_is_run_through_the_admin_address(app: App, host: StandInHost) -> None:
    assert requests.post(f"{host.url}/admin/functions/tick", timeout=TIMEOUT_SECONDS).status_code == 202
    assert app.reports() == [{"tick": True, "pastDue": False}]


@pytest.mark.parametrize(
    ("name", "body", "status", "says"),
    [
        ("nothing", "{}", 404, "Found no function 'nothing'"),
        ("greet", "{}", 400, "triggered by HTTP"),
        ("work", "not json", 400, "not JSON"),
        ("work", '{"input": 5}', 400, "Found no text"),
        ("work", "[]", 400, "Found no text"),
    ],
)
def test_a_call_that_makes_no_sense_is_rejected(
    host: StandInHost, name: str, body: str, status: int, says: str
) -> None:
    response = requests.post(f"{host.url}/admin/functions/{name}", data=body, timeout=TIMEOUT_SECONDS)
    assert response.status_code == status
    assert says in response.text


# Settings


def test_local_settings_are_read_and_the_environment_wins(app: App, tmp_path: Path) -> None:
    shutil.copytree(BASIC, tmp_path, dirs_exist_ok=True)
    values = {"OWN_SETTING": "file", "SCHEDULE": "not a schedule"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    app.send("a")
    with start_stand_in(tmp_path, app.settings):
        assert app.reports()[0]["setting"] == "file"


@pytest.mark.parametrize(
    ("function_app", "host_json", "says"),
    [
        ("import nothing_of_this_name", '{"version": "2.0"}', "No module named 'nothing_of_this_name'"),
        ("raise ValueError('FACE_ENDPOINT is missing')", '{"version": "2.0"}', "FACE_ENDPOINT is missing"),
        ("import tests", '{"version": "2.0"}', "No module named 'tests'"),
        ("app = None", '{"version": "2.0"}', "Could not find top level function app instances"),
        ("", '{"version": "2.0", "aggregator": {}}', "SettingError: host.json: 'aggregator' is not known here"),
        ("", "{", "is not JSON"),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            "@app.blob_trigger('blob', path='a/b', connection='C')\ndef f(blob: func.InputStream) -> None: ...",
            '{"version": "2.0"}',
            "function 'f', binding 'blob' (blobTrigger): the stand-in does not know this binding",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            "@app.queue_trigger('m', queue_name='q', connection='Nowhere')\ndef f(m: func.QueueMessage) -> None: ...",
            '{"version": "2.0"}',
            "connection 'Nowhere': found neither",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            "@app.timer_trigger('t', schedule='daily')\ndef f(t: func.TimerRequest) -> None: ...",
            '{"version": "2.0"}',
            "schedule 'daily': expected",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            "@app.timer_trigger('t', schedule='0 * * * * *')\n"
            "@app.retry('fixed_delay', '2', delay_interval='00:00:01')\n"
            "def f(t: func.TimerRequest) -> None: ...",
            '{"version": "2.0"}',
            "does not know retry policies",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            "@app.route('a/{b:datetime}')\ndef f(req: func.HttpRequest) -> str: ...",
            '{"version": "2.0"}',
            "function 'f': route 'api/a/{b:datetime}': the stand-in does not know the constraint",
        ),
    ],
)
def test_an_app_that_cannot_be_run_is_an_error_that_says_why(
    tmp_path: Path, function_app: str, host_json: str, says: str
) -> None:
    with run_stand_in(write_app(tmp_path, function_app, host_json), {}) as child:
        assert child.process.wait(TIMEOUT_SECONDS) == 1
    assert says in "\n".join(child.tail())


def test_a_taken_port_is_an_error_that_says_so(app: App, host: StandInHost) -> None:
    port = host.url.rsplit(":", 1)[1]
    with run_stand_in(BASIC, app.settings, "--port", port) as child:
        assert child.process.wait(TIMEOUT_SECONDS) == 1
    assert f"Port {port} cannot be listened on" in "\n".join(child.tail())


# The end


def test_a_running_function_may_end_before_the_host_does(app: App, host: StandInHost) -> None:
    app.send("sleep 1")
    wait_for_line(host, "working on sleep")
    assert host.child.stop(grace=TIMEOUT_SECONDS) == 0
    assert [report["body"] for report in app.reports()] == ["sleep 1"]
    assert app.queues.get_queue_client(app.settings["WORK_QUEUE"]).get_queue_properties().approximate_message_count == 0


def test_ctrl_c_ends_it_well(host: StandInHost) -> None:
    host.child.process.send_signal(signal.SIGINT)
    assert host.child.process.wait(TIMEOUT_SECONDS) == 0
    assert "Traceback" not in "\n".join(host.child.tail())


def test_a_function_that_does_not_end_is_left_behind(app: App, host: StandInHost) -> None:
    app.send("sleep 600")
    wait_for_line(host, "working on sleep")
    started = time.monotonic()
    assert host.child.stop(grace=TIMEOUT_SECONDS) == 0
    assert time.monotonic() - started < 15
    assert "Left running functions behind: work" in "\n".join(host.child.tail())


def test_a_function_that_outlives_the_timeout_counts_as_failed(app: App) -> None:
    app.settings["AzureFunctionsJobHost__functionTimeout"] = "00:00:00.2"
    app.settings["AzureFunctionsJobHost__extensions__queues__maxDequeueCount"] = "1"
    app.send("sleep 5")
    with start_stand_in(BASIC, app.settings) as host:
        wait_for_line(host, "it runs longer than functionTimeout")
        wait_for(lambda: app.texts("WORK_QUEUE", "-poison") == ["sleep 5"], what="the poisoned message")
