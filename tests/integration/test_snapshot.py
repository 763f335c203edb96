import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from azure.storage.blob import ContainerClient

from local.face_emulator.process import FaceEmulator
from local.snapshot_check import find_problems, read_pointer
from shared.face.client import FaceClient
from tests.support.face_service import FaceService
from tests.support.snapshots import all_ids, published_ids, read_lines, snapshot_job, take_snapshot

NIGHT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def test_a_snapshot_lies_where_the_pointer_says_and_holds_every_group(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService
) -> None:
    face_emulator.control.fill(2_500, user_data=10)
    snapshot_job(client, container, clock=lambda: NIGHT).run()
    pointer = read_pointer(container)
    assert pointer is not None
    assert pointer["snapshotId"] == "20261120T030000Z"
    assert pointer.keys() == {"snapshotId", "manifest"}
    path = "dynamic-person-groups/groups/dt=2026-11-20/20261120T030000Z.ndjson.gz"
    assert {blob.name for blob in container.list_blobs()} == {
        "dynamic-person-groups/latest.json",
        "dynamic-person-groups/run.json",
        path,
        "dynamic-person-groups/manifests/20261120T030000Z.json",
    }
    groups = read_lines(container, path)
    assert groups == service.get("/dynamicpersongroups", params={"top": 1000}).json() + groups[1000:]
    assert published_ids(container) == all_ids(service)


def test_the_manifest_is_of_the_documented_form(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(1_500)
    snapshot_job(client, container, clock=lambda: NIGHT).run()
    pointer = read_pointer(container)
    assert pointer is not None
    manifest = dict(pointer["manifest"])
    groups = dict(manifest.pop("groups"))
    assert manifest == {
        "formatVersion": 2,
        "kind": "dynamicPersonGroup",
        "snapshotId": "20261120T030000Z",
        "startedAt": "2026-11-20T03:00:00.000Z",
        "finishedAt": "2026-11-20T03:00:00.000Z",
        "source": face_emulator.endpoint,
        "apiVersion": "v1.2-preview.1",
        "includesUserData": True,
        "previous": None,
        "calls": manifest["calls"],
        "throttled": 0,
        "changes": None,
    }
    assert manifest["calls"] >= 2
    assert groups.keys() == {"path", "count", "size", "sha256", "parts"}
    assert groups["path"] == "dynamic-person-groups/groups/dt=2026-11-20/20261120T030000Z.ndjson.gz"
    assert groups["count"] == 1_500
    assert groups["parts"][0].keys() == {"offset", "length", "count", "after", "firstId", "lastId"}


def test_the_next_snapshot_tells_what_changed(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService
) -> None:
    face_emulator.control.fill(3_000)
    first = take_snapshot(client, container)
    expected = face_emulator.control.change(added=3, removed=2, changed=4)
    second = take_snapshot(client, container)
    assert second.changes
    assert second.previous == first.snapshot_id
    assert (second.changes.added, second.changes.removed, second.changes.changed) == (3, 2, 4)
    told = read_lines(container, second.changes.path)
    for kind, ids in (("added", expected.added), ("removed", expected.removed), ("changed", expected.changed)):
        assert [each["groupId"] for each in told if each["change"] == kind] == ids
    assert told[0].keys() == {"change", "groupId", "before", "after"}
    assert all(each["before"] is None for each in told if each["change"] == "added")
    assert all(each["after"] is None for each in told if each["change"] == "removed")
    assert published_ids(container) == all_ids(service)


@pytest.mark.parametrize("count", [0, 1, 1_000])
def test_a_list_of_any_length_is_a_snapshot(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, count: int
) -> None:
    face_emulator.control.fill(count)
    for manifest in (take_snapshot(client, container), take_snapshot(client, container)):
        assert manifest.groups.count == count
        assert len(read_lines(container, manifest.groups.path)) == count
        if manifest.previous:
            assert manifest.changes
            assert read_lines(container, manifest.changes.path) == []


def test_user_data_is_left_out_of_all_blobs_where_it_is_switched_off(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(500, user_data=20)
    snapshot_job(client, container).run()
    face_emulator.control.change(removed=5)
    without = take_snapshot(client, container, include_user_data=False)
    assert without.changes
    assert not without.includes_user_data
    assert (without.changes.removed, without.changes.changed) == (5, 0)
    stored = read_lines(container, without.groups.path)
    changes = read_lines(container, without.changes.path)
    assert all("userData" not in group for group in [*stored, *(change["before"] for change in changes)])
    again = take_snapshot(client, container)
    assert again.changes
    assert (again.changes.added, again.changes.removed, again.changes.changed) == (0, 0, 0)


def test_groups_that_nobody_touches_are_there_once_while_others_change(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService
) -> None:
    face_emulator.control.fill(30_000)
    face_emulator.control.settings(latency=0.05)
    before = set(all_ids(service))
    touched: set[str] = set()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(snapshot_job(client, container).run)
        seed = 0
        while not running.done():
            seed += 1
            change = face_emulator.control.change(added=20, removed=20, changed=20, seed=seed)
            touched |= {*change.added, *change.removed}
        running.result()
    ids = published_ids(container)
    assert ids is not None
    assert seed > 1
    assert [group_id for group_id in ids if group_id not in touched] == sorted(before - touched)


def test_a_previous_snapshot_that_is_gone_is_passed_over(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, caplog: pytest.LogCaptureFixture
) -> None:
    face_emulator.control.fill(100)
    first = take_snapshot(client, container)
    container.delete_blob(first.groups.path)
    second = take_snapshot(client, container)
    assert (second.previous, second.changes) == (None, None)
    assert "previous snapshot cannot be compared with" in caplog.messages
    assert published_ids(container) is not None


@pytest.mark.parametrize("damage", ["cut", "another byte"])
def test_a_previous_snapshot_that_was_tampered_with_is_passed_over(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, damage: str
) -> None:
    face_emulator.control.fill(2_000)
    first = take_snapshot(client, container)
    path = first.groups.path
    stored = bytearray(container.download_blob(path).readall())
    if damage == "cut":
        del stored[first.groups.parts[1].offset :]
    else:
        stored[4] ^= 1  # the time in the gzip header, which no reader reads
    container.upload_blob(path, bytes(stored), overwrite=True)
    second = take_snapshot(client, container)
    assert second.previous is None
    assert find_problems(container, read_pointer(container) or {}) == []


def test_the_log_tells_the_figures_and_no_ids(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, caplog: pytest.LogCaptureFixture
) -> None:
    face_emulator.control.fill(1_000, shape="counter", user_data=30)
    with caplog.at_level(logging.INFO):
        snapshot_job(client, container).run()
    (record,) = [each for each in caplog.records if each.getMessage() == "snapshot published"]
    told = {name: getattr(record, name) for name in ("groups", "added", "removed", "changed", "throttled")}
    assert told == {"groups": 1_000, "added": 0, "removed": 0, "changed": 0, "throttled": 0}
    assert record.__dict__["bytes"] > 0
    assert record.__dict__["calls"] >= 1
    assert record.__dict__["seconds"] > 0
    everything = "".join(str(each.__dict__) for each in caplog.records if each.name.startswith("shared"))
    assert "a-long-prefix" not in everything
