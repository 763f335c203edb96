"""The command line, run as a program on Azurite and the emulator."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
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

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def face_ops(azurite: Azurite, face_emulator: FaceEmulator, storage: Storage, tmp_path: Path) -> Run:
    """Return the program, on a stack whose containers are empty."""
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
    environment = {**os.environ, "FACE_OPS_CONNECTION": str(file), "FACE_MAX_TPS": "1000", "NO_COLOR": "1"}

    def run(*arguments: str, local: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli", *(["--local"] if local else []), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - ours

    return run


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
