"""The command line, run as a program on Azurite and the emulator."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.face.page import ListedKind
from shared.snapshots.library import Library
from shared.storage import Storage
from tests.support.snapshots import GROUPS, take_snapshot
from tests.support.waiting import wait_for

PROGRAM = (sys.executable, "-m", "cli")
COLOR = re.compile(r"\x1b\[(?:\d+;)*[349][0-8]")

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(azurite: Azurite, face_emulator: FaceEmulator, storage: Storage, tmp_path: Path) -> dict[str, str]:
    """Return the environment of the program, on a stack whose containers are empty."""
    for blob in storage.snapshot_container.list_blob_names():
        storage.snapshot_container.delete_blob(blob)
    file = tmp_path / "connection.json"
    connection = {
        "connectionString": azurite.connection_string,
        "faceEndpoint": face_emulator.endpoint,
        "faceKey": face_emulator.key,
        "address": "http://127.0.0.1:7071",
    }
    file.write_text(json.dumps(connection))
    colors = {"NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"}
    variables = {name: value for name, value in os.environ.items() if name not in colors}
    return {**variables, "FACE_OPS_CONNECTION": str(file), "FACE_MAX_TPS": "1000", "TERM": "xterm"}


@pytest.fixture
def face_ops(environment: dict[str, str]) -> Run:
    """Return the program."""

    def run(*arguments: str, local: bool = True, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *(["--local"] if local else []), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, input=given)  # noqa: S603 - ours

    return run


@pytest.fixture
def on_terminal(environment: dict[str, str]) -> Callable[..., str]:
    """Return what the program shows on a terminal."""

    def run(*arguments: str, **variables: str) -> str:
        ours, its = os.openpty()
        with (
            os.fdopen(ours, "rb", buffering=0) as shown,
            subprocess.Popen(  # noqa: S603 - ours
                [*PROGRAM, "--local", *arguments], stdin=its, stdout=its, stderr=its, env={**environment, **variables}
            ),
        ):
            os.close(its)
            content = b""
            with suppress(OSError):  # how a terminal ends, on Linux
                while part := shown.read(4096):
                    content += part
        return content.decode()

    return run


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Have the programs that a test starts obey Ctrl-C, also where this one runs in the background and does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_group_that_was_deleted_is_shown_and_comes_back_by_one_command(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, face_ops: Run
) -> None:
    face_emulator.control.fill(1_500, user_data=5)
    take_snapshot(client, storage.snapshot_container)
    (deleted,) = face_emulator.control.change(removed=1).removed
    assert face_ops("diff", "latest").stdout == f"- {deleted}\n"
    planned = face_ops("restore", "latest", "--json")
    assert json.loads(planned.stdout.splitlines()[0]) == {
        "verb": "make",
        "groupId": deleted,
        "persons": 0,
        "listedAt": None,
    }
    assert face_ops("diff", "latest", "now").stdout == f"- {deleted}\n"
    done = face_ops("restore", "latest", "--apply", "--yes")
    assert (done.returncode, "restored and verified" in done.stderr) == (0, True)
    assert face_ops("diff", "latest", "now").stdout == ""


def test_snapshots_are_listed_verified_and_searched(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, face_ops: Run
) -> None:
    face_emulator.control.fill(1_200)
    first = take_snapshot(client, storage.snapshot_container)
    changed = face_emulator.control.change(added=2, removed=1, seed=1)
    second = take_snapshot(client, storage.snapshot_container)
    listed = [json.loads(line) for line in face_ops("snapshots", "--json").stdout.splitlines()]
    assert [each["snapshotId"] for each in listed] == [second.snapshot_id, first.snapshot_id]
    assert first.snapshot_id in face_ops("snapshots").stdout
    assert face_ops("verify", first.snapshot_id, "--json").returncode == 0
    told = [
        json.loads(line)
        for line in face_ops("diff", first.snapshot_id, second.snapshot_id, "--json").stdout.splitlines()
    ]
    assert {each["groupId"] for each in told} == {*changed.added, *changed.removed}
    assert json.loads(face_ops("find", changed.added[0]).stdout)["dynamicPersonGroupId"] == changed.added[0]
    assert face_ops("find", changed.removed[0]).returncode == 5
    assert face_ops("find", changed.removed[0], "--snapshot", first.snapshot_id).returncode == 0


def test_a_damaged_snapshot_is_not_verified(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, face_ops: Run
) -> None:
    face_emulator.control.fill(100)
    manifest = take_snapshot(client, storage.snapshot_container)
    storage.snapshot_container.upload_blob(manifest.groups.path, b"damaged", overwrite=True)
    done = face_ops("verify", "latest")
    assert done.returncode == 5
    assert "gzip" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_and_troubles_have_exit_codes_of_their_own_and_no_traceback(
    client: FaceClient, storage: Storage, face_ops: Run
) -> None:
    assert face_ops("verify", "latest").returncode == 5
    assert face_ops("verify", "20261120T030000Z").returncode == 5
    assert face_ops("fly").returncode == 2
    assert face_ops("snapshots", local=False).returncode == 2
    assert face_ops("--version", local=False).stdout.startswith("face-ops ")
    assert face_ops("--version").stdout.startswith("face-ops ")
    take_snapshot(client, storage.snapshot_container)
    storage.snapshot_container.upload_blob(GROUPS.manifest_path("20261120T030000Z"), b"{", overwrite=True)
    unreadable = face_ops("verify", "20261120T030000Z")
    assert unreadable.returncode == 5
    assert "cannot be read" in unreadable.stderr
    assert all("Traceback" not in done.stderr for done in (unreadable, face_ops("restore", "latest")))


def test_find_takes_three_calls_of_the_storage(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    face_emulator.control.fill(5_000)
    manifest = take_snapshot(client, storage.snapshot_container)
    calls: list[str] = []
    send = requests.Session.send

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        calls.append(request.method or "")
        return send(session, request, **options)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(requests.Session, "send", counted)
    library = Library(storage.snapshot_container, ListedKind.DYNAMIC_PERSON_GROUP)
    newest = library.get()
    assert newest == manifest
    assert library.find(newest, manifest.groups.parts[3].last_id)
    assert len(calls) <= 3


@pytest.mark.usefixtures("ctrl_c")
def test_a_restore_that_ctrl_c_stops_says_how_to_go_on_and_does(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, environment: dict[str, str], face_ops: Run
) -> None:
    face_emulator.control.fill(400)
    take_snapshot(client, storage.snapshot_container)
    face_emulator.control.change(removed=300)
    restore = ("restore", "latest", "--apply", "--yes")
    command = [*PROGRAM, "--local", "--max-tps", "30", *restore]
    with subprocess.Popen(command, env=environment, text=True, stdout=-1, stderr=-1) as stopped:  # noqa: S603 - ours
        wait_for(lambda: face_emulator.control.statistics().dynamic_groups > 110, what="the first groups to come back")
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate(timeout=30)
    assert (stopped.returncode, "run the same command again" in said) == (130, True), said
    assert "Traceback" not in said
    assert 110 < face_emulator.control.statistics().dynamic_groups < 300, "it went on after Ctrl-C"
    done = face_ops(*restore)
    assert (done.returncode, "restored and verified" in done.stderr) == (0, True), done.stderr
    assert face_emulator.control.statistics().dynamic_groups == 400


def test_nothing_is_changed_unless_the_user_agrees_or_said_yes(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, face_ops: Run
) -> None:
    face_emulator.control.fill(20)
    take_snapshot(client, storage.snapshot_container)
    face_emulator.control.change(removed=2)
    for given in ("n\n", ""):
        asked = face_ops("restore", "latest", "--apply", given=given)
        assert (asked.returncode, "nothing was changed" in asked.stderr) == (5, True), asked.stderr
    assert face_emulator.control.statistics().dynamic_groups == 18
    assert face_ops("restore", "latest", "--apply", given="y\n").returncode == 0
    face_emulator.control.change(removed=2, seed=1)
    done = face_ops("restore", "latest", "--apply", "--yes")
    assert (done.returncode, "Make these" in done.stderr) == (0, False)
    assert face_emulator.control.statistics().dynamic_groups == 20


@pytest.mark.parametrize("arguments", [("verify", "20261120T030000Z"), ("fly",), ("--help",)])
def test_no_color_is_obeyed(on_terminal: Callable[..., str], arguments: tuple[str, ...]) -> None:
    assert COLOR.search(on_terminal(*arguments))
    assert not COLOR.search(on_terminal(*arguments, NO_COLOR="1"))


def test_a_bar_is_shown_on_a_terminal_alone(
    face_emulator: FaceEmulator, client: FaceClient, storage: Storage, face_ops: Run, on_terminal: Callable[..., str]
) -> None:
    face_emulator.control.fill(100)
    take_snapshot(client, storage.snapshot_container)
    assert "100/100" in on_terminal("verify", "latest")
    assert face_ops("verify", "latest").stderr == ""
