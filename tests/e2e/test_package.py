"""What is deployed runs: the package that .funcignore leaves, with requirements.txt installed beside it."""

import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pathspec
import pytest
import requests

from local import processes
from local.app_settings import app_settings
from local.azurite import start_azurite
from local.face_emulator.process import FaceEmulator, start_face_emulator
from local.snapshot_check import find_problems, read_pointer
from shared.settings import ConnectionString
from shared.storage import Storage, connect
from tests.e2e.conftest import SETTINGS
from tests.integration.infra.telemetry import QUIET
from tests.support.application_insights import ApplicationInsights, start_application_insights
from tests.support.uv import ROOT, run_uv
from tests.support.waiting import wait_for

PACKAGES = ".python_packages/lib/site-packages"
# What the stand-in host needs of the app's own dependencies; the others are in the package or nowhere.
SHARED_WITH_HOST = ("azure-storage-blob", "azure-storage-queue", "croniter", "msgspec", "requests")

# The first run fetches what is not in uv's cache.
pytestmark = pytest.mark.timeout(300)


def packed_files() -> list[str]:
    """Return the files of the checkout that .funcignore leaves."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    return sorted(ignored.match_tree_files(ROOT, negate=True))


def test_the_package_holds_the_app_alone() -> None:
    packed = packed_files()
    outside = {file for file in packed if not file.startswith("shared/")}
    assert outside == {"function_app.py", "host.json", "requirements.txt"}
    assert {Path(file).suffix for file in packed if file.startswith("shared/")} == {".py", ".json", ".html"}


@dataclass(frozen=True)
class Running:
    """Hold the running package: its host's address, its storage and the Face emulator."""

    address: str
    storage: Storage
    face: FaceEmulator
    telemetry: ApplicationInsights
    child: processes.Child


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the package into an empty folder, as the deployment service does."""
    folder = tmp_path_factory.mktemp("package")
    for file in packed_files():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)
    requirements = ("--require-hashes", "--requirements", folder / "requirements.txt")
    uv("pip", "install", *requirements, "--target", folder / PACKAGES)
    return folder


@pytest.fixture(scope="module")
def running(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run the package on the stand-in host, in an environment that has the host's own dependencies and no others."""
    folder = tmp_path_factory.mktemp("host")
    shutil.copytree(ROOT / "local", folder / "local", ignore=shutil.ignore_patterns("__pycache__"))
    lines = uv("export", "--locked", "--offline", "--only-group", "local", "--no-hashes", "--no-annotate")
    (folder / "host.txt").write_text(lines)
    python = folder / "venv/bin/python"
    uv("venv", folder / "venv")
    pins = ("--requirements", folder / "host.txt", "--constraints", ROOT / "requirements.txt")
    uv("pip", "install", *SHARED_WITH_HOST, *pins, python=python)
    with start_azurite() as azurite, start_face_emulator() as face, start_application_insights() as telemetry:
        port = processes.free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            **app_settings(azurite.connection_string, face),
            **SETTINGS,
            **telemetry_settings(telemetry),
        }
        command: list[str | Path] = [python, "-m", "local.host", "--app", package, "--port", str(port)]
        with processes.start(command, name="host", cwd=folder, environment=environment) as child:
            storage = connect(ConnectionString(azurite.connection_string))
            host = Running(f"http://127.0.0.1:{port}", storage, face, telemetry, child)
            wait_for(lambda: _has_made_its_storage(host), what="the app to start")
            yield host


def telemetry_settings(telemetry: ApplicationInsights) -> dict[str, str]:
    """Return the settings of the worker and its telemetry as they are deployed, but sent to us, and at once."""
    bicep = (ROOT / "infra/function.bicep").read_text()
    deployed = dict(re.findall(r"^  ((?:PYTHON|OTEL)_\w+): '([^']*)'$", bicep, re.MULTILINE))
    to_us = {"APPLICATIONINSIGHTS_CONNECTION_STRING": telemetry.connection_string}
    at_once = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "500"}  # spans before logs
    return {**deployed, **to_us, **at_once, **QUIET}


def _has_made_its_storage(host: Running) -> bool:
    assert host.child.process.poll() is None, "\n".join(host.child.tail())
    return host.storage.snapshot_container.exists()


def uv(*arguments: str | Path, python: str | Path = sys.executable) -> str:
    done = run_uv(*arguments, "--quiet", "--python", python)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_host_indexes_every_function(running: Running) -> None:
    names = set(re.findall(r"^def ([a-z]\w+)\(", (ROOT / "function_app.py").read_text(), re.MULTILINE))
    assert {"take_snapshot", "get_health"} <= names
    said = wait_for(lambda: [line for line in running.child.tail() if "take_snapshot" in line], what="the functions")
    assert said
    assert all(any(name in line for line in running.child.tail()) for name in names)


def test_a_training_is_watched_from_the_package(running: Running) -> None:
    group_id = f"packed-{uuid.uuid4().hex[:8]}"
    running.face.control.group("largePersonGroup", group_id, train=True)
    running.storage.watch_queue.send_message(group_id)
    message = wait_for(lambda: running.storage.results_queue.receive_message(), what="the event")
    event = json.loads(message.content)
    assert (event["type"], event["data"]["groupId"]) == ("face.training.succeeded", group_id)
    ends = wait_for(lambda: _ends(running), what="the end of the request in the logs")
    assert [end["outcome"] for end in ends] == ["succeeded"], "a record is sent twice"
    assert group_id not in json.dumps(running.telemetry.items)


def test_the_http_functions_answer_from_the_package(running: Running) -> None:
    group_id = f"packed-{uuid.uuid4().hex[:8]}"
    running.face.control.group("largePersonGroup", group_id, train=True)
    sent = requests.post(f"{running.address}/api/requests", json={"groupId": group_id}, timeout=30)
    assert sent.status_code == 202

    def answered() -> dict[str, Any]:
        response: dict[str, Any] = requests.get(sent.headers["Location"], timeout=30).json()
        return response

    ended = wait_for(lambda: answered() if answered()["state"] == "ended" else None, what="the end of the request")
    assert ended["event"]["data"]["outcome"] == "succeeded"
    for path in ("health", "openapi.json", "ui"):
        assert requests.get(f"{running.address}/api/{path}", timeout=30).status_code == 200, path


def _ends(running: Running) -> list[dict[str, str]]:
    return [trace.properties for trace in running.telemetry.traces if trace.message == "training request ended"]


def test_a_snapshot_is_made_from_the_package(running: Running) -> None:
    running.face.control.fill(1200)
    address = f"{running.address}/admin/functions/snapshot_groups"
    requests.post(address, json={"input": ""}, timeout=10).raise_for_status()
    pointer = wait_for(lambda: read_pointer(running.storage.snapshot_container), what="a snapshot")
    assert pointer["manifest"]["groups"]["count"] == 1200
    assert find_problems(running.storage.snapshot_container, pointer) == []
