import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient, StandardBlobTier

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.face.errors import ServerFault, Unauthorized
from shared.snapshots.errors import AlreadyPublished, UnsupportedStorage
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.lease import hold_lease
from shared.snapshots.stored.manifest import Manifest, Pointer
from shared.snapshots.stored.progress import Origin, StagedPart, new_progress
from shared.snapshots.stored.run import RunBlob, RunState
from tests.support.snapshots import GROUPS, Steady, face_client, published_ids, snapshot_job, take_snapshot
from tests.support.strangers import Strangers
from tests.support.waiting import wait_for

NIGHT = "20261120T030000Z"


def test_what_a_run_listed_before_it_failed_is_not_listed_again(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(30_000)
    job = snapshot_job(client, container, patience=0.1, pace=Steady(50))

    def ten_pages_are_kept() -> bool:
        progress = job.status().progress
        return progress is not None and progress.groups >= 10_000

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(job.run)
        wait_for(ten_pages_are_kept, what="ten pages in the run's progress")
        face_emulator.control.faults(faults.ErrorResponse())
        with pytest.raises(ServerFault):
            running.result()
    face_emulator.control.faults()
    before = pages_sent(face_emulator)
    with caplog.at_level(logging.INFO):
        manifest = take_snapshot(client, container)
    assert pages_sent(face_emulator) - before < 30  # fewer than the whole list has
    (resumed,) = [record for record in caplog.records if record.getMessage() == "snapshot resumed"]
    assert resumed.__dict__["groups"] >= 10_000
    assert manifest.groups.count == 30_000
    assert published_ids(container) is not None


def pages_sent(face_emulator: FaceEmulator) -> int:
    return face_emulator.control.statistics().requests["dynamicPersonGroup.list"]["200"]


def test_a_run_that_died_more_than_three_hours_ago_is_not_gone_on_with(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(5_000)
    with hold_lease(container.get_blob_client(GROUPS.run)) as lease:
        assert lease
        job = snapshot_job(client, container, clock=lambda: datetime.now(UTC) - timedelta(hours=4))
        monkeypatch.setattr(Archive, "commit", _die)
        with pytest.raises(Died):
            job._run(RunBlob(lease), None)  # noqa: SLF001 - the lease is held already, as by a run that died
    monkeypatch.undo()
    manifest = take_snapshot(client, container)
    assert manifest.snapshot_id > f"{datetime.now(UTC) - timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    left = [blob.name for blob in container.list_blobs(include=["uncommittedblobs"]) if "/groups/" in blob.name]
    assert left == [manifest.groups.path]


class Died(Exception):
    pass


def _die(*_: object) -> None:
    raise Died


def test_what_is_not_the_apps_stays_and_stops_no_run(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(10)
    first = take_snapshot(client, container)
    foreign = "dynamic-person-groups/groups/dt=2026-11-19/20261119T030000Z.ndjson.gz"
    container.get_blob_client(foreign).create_append_blob()
    container.upload_blob("dynamic-person-groups/changes/dt=2026-11-19/20261119T030000Z.ndjson.gz", b"half")
    container.get_blob_client("dynamic-person-groups/groups/dt=2026-11-18/a.gz").stage_block("0" * 32, b"half")
    container.get_blob_client(first.groups.path).create_snapshot()
    before = names(container)
    container.delete_blob(GROUPS.manifest_path(first.snapshot_id))
    second = take_snapshot(client, container)
    assert second.previous == first.snapshot_id
    assert before - names(container) == {GROUPS.manifest_path(first.snapshot_id)}


def names(container: ContainerClient) -> set[str]:
    """Return the names of all blobs, those among them that are only staged."""
    return {blob.name for blob in container.list_blobs(include=["uncommittedblobs"])}


def test_a_commit_whose_response_was_lost_is_done_and_one_of_others_is_not(container: ContainerClient) -> None:
    archive = Archive(container, GROUPS)
    archive.stage(NIGHT, "1" * 32, b"ours")
    archive.commit(NIGHT, ["1" * 32], "run")
    archive.commit(NIGHT, ["1" * 32], "run")
    archive.stage(NIGHT, "2" * 32, b"theirs")
    with pytest.raises(AlreadyPublished):
        archive.commit(NIGHT, ["2" * 32], "run")
    assert b"".join(archive.read(NIGHT)) == b"ours"


def test_a_pointer_that_another_run_has_moved_stays_as_it_is(client: FaceClient, container: ContainerClient) -> None:
    catalog = Catalog(container, GROUPS, Manifest)
    first = take_snapshot(client, container)
    before = catalog.newest()
    second = take_snapshot(client, container)
    catalog.publish(second, before.etag)  # its response was lost: it is done
    with pytest.raises(AlreadyPublished):
        catalog.publish(first, before.etag)
    with pytest.raises(AlreadyPublished):
        catalog.publish(first, None)
    assert catalog.newest().manifest == second


def test_a_blob_that_changes_while_it_is_read_is_found_out(container: ContainerClient) -> None:
    archive = Archive(container, GROUPS)
    blob = container.get_blob_client(GROUPS.data_path(NIGHT))
    blob.upload_blob(b"x" * 300_000)
    reading = archive.read(NIGHT)
    next(reading)
    blob.upload_blob(b"y" * 300_000, overwrite=True)
    with pytest.raises(ResourceModifiedError):
        next(reading)
    with pytest.raises(ResourceNotFoundError):
        list(archive.read("20261121T030000Z"))


def test_the_snapshot_before_gets_the_tag_that_retention_goes_by_and_the_newest_has_none(
    client: FaceClient, container: ContainerClient
) -> None:
    first, second, third = (take_snapshot(client, container) for _ in range(3))
    for manifest, tags in ((first, {"superseded": "true"}), (second, {"superseded": "true"}), (third, {})):
        paths = [manifest.groups.path, GROUPS.manifest_path(manifest.snapshot_id)]
        paths += [manifest.changes.path] if manifest.changes else []
        assert [container.get_blob_client(path).get_blob_tags() for path in paths] == [tags] * len(paths)


def test_a_run_that_died_right_after_it_published_leaves_no_snapshot_untagged(
    client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_snapshot(client, container)
    with monkeypatch.context() as patch:
        patch.setattr(RunBlob, "end", _die)
        patch.setattr("shared.snapshots.stored.begin.Beginning._clear", _die)
        with pytest.raises(Died):
            take_snapshot(client, container)
    take_snapshot(client, container)
    tags = [container.get_blob_client(path).get_blob_tags() for path in names_of(container, "groups")]
    assert tags == [{"superseded": "true"}, {"superseded": "true"}, {}]


@pytest.mark.parametrize("code", ["BlobTagsNotSupportedForAccountType", "AuthorizationPermissionMismatch"])
def test_an_account_without_tags_is_refused_and_a_missing_right_stops_nothing(
    client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        error = HttpResponseError("no")
        error.error_code, error.status_code = code, 409  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr(BlobClient, "set_blob_tags", refuse)
    if code.startswith("BlobTags"):
        with pytest.raises(UnsupportedStorage, match="hierarchical namespace"):
            take_snapshot(client, container)
        assert published_ids(container) is None
        return
    take_snapshot(client, container)
    second = take_snapshot(client, container)
    monkeypatch.undo()
    third = take_snapshot(client, container)
    assert third.previous == second.snapshot_id
    # What could not be tagged then is tagged now.
    assert [container.get_blob_client(path).get_blob_tags() for path in names_of(container, "groups")] == [
        {"superseded": "true"},
        {"superseded": "true"},
        {},
    ]


def names_of(container: ContainerClient, folder: str) -> list[str]:
    """Return the names of the blobs in a folder, oldest first."""
    return sorted(name for name in names(container) if f"/{folder}/" in name)


def test_a_copy_of_another_face_resource_is_not_compared_with_and_stays(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    face_emulator.control.fill(10)
    first = take_snapshot(client, container)
    elsewhere = face_client(face_emulator.endpoint.replace("127.0.0.1", "localhost"), face_emulator.key)
    second = take_snapshot(elsewhere, container)
    assert (second.previous, second.changes) == (None, None)
    assert "previous snapshot is of another Face resource: this one begins anew" in caplog.messages
    assert container.get_blob_client(first.groups.path).get_blob_tags() == {}


@pytest.mark.parametrize("still_gone", [True, False])
def test_a_list_that_lost_more_than_half_of_its_groups_is_read_once_more(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, still_gone: bool
) -> None:
    face_emulator.control.fill(1_500)
    first = take_snapshot(client, container)
    if still_gone:
        face_emulator.control.change(removed=1_000)
    else:
        face_emulator.control.faults(faults.PageEmpty(operation="dynamicPersonGroup.list", remaining=3))
    second = take_snapshot(client, container)
    assert second.previous == first.snapshot_id
    assert second.groups.count == (500 if still_gone else 1_500)
    assert len(names_of(container, "groups")) == len(names_of(container, "manifests")) == 2
    assert len(names_of(container, "changes")) == 1


def test_a_run_that_failed_is_due_again_after_pauses_that_grow_and_one_that_ended_is_not(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    job = snapshot_job(client, container, patience=0.1)
    assert not job.status().is_due(datetime.now(UTC))
    face_emulator.control.faults(faults.ErrorResponse(status=401, code="401"))
    for attempt in range(1, 4):
        with pytest.raises(Unauthorized):
            job.run()
        status = job.status()
        assert status.progress
        assert status.changed_at
        assert status.progress.attempts == attempt
        pause = timedelta(minutes=2 ** (attempt - 1) - 1)
        assert not status.is_due(status.changed_at + pause - timedelta(seconds=1))
        assert status.is_due(status.changed_at + pause)
    face_emulator.control.faults()
    assert job.run()
    assert job.status().progress is None


RUN_BLOBS: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not text": b"\xff\xfe",
    "another form": b"[1, 2]",
    "other fields": b'{"progress": {"snapshotId": 7}}',
    "many levels": b"[" * 100_000,
    "a time that is none": b"%(time)s",
    "an ID that is none": b"%(id)s",
    "an ID from the future": b"%(future)s",
    "another resource's": b"%(source)s",
    "parts that are not there": b"%(parts)s",
}


SPOILT: dict[bytes, dict[str, Any]] = {
    b"%(time)s": {"started_at": "noon"},
    b"%(id)s": {"snapshot_id": "today"},
    b"%(future)s": {"snapshot_id": "99991231T235959Z"},
    b"%(source)s": {"origin": Origin("https://elsewhere.example", "v1", False)},
    b"%(parts)s": {"parts": (StagedPart.of("1" * 32, 7, "", ["a", "b"]),), "complete": True},
}


@pytest.mark.parametrize("form", RUN_BLOBS.values(), ids=RUN_BLOBS)
def test_a_run_blob_that_was_broken_stops_no_run(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, form: bytes
) -> None:
    face_emulator.control.fill(10)
    first = take_snapshot(client, container)
    origin = Origin(client.endpoint, "v1.2-preview.1", True)
    progress = new_progress(origin, datetime.now(UTC), "run", newer_than=[first.snapshot_id])
    spoilt = SPOILT.get(form)
    text = form if spoilt is None else msgspec.json.encode(RunState(msgspec.structs.replace(progress, **spoilt)))
    container.upload_blob(GROUPS.run, text, overwrite=True)
    strangers = Strangers(container, GROUPS)
    second = take_snapshot(client, container)
    assert second.previous == first.snapshot_id
    assert published_ids(container) is not None
    strangers.check()


def cut(blob: BlobClient) -> None:
    whole = blob.download_blob().readall()
    blob.upload_blob(whole[: len(whole) // 2], overwrite=True)


def make_append_blob(blob: BlobClient) -> None:
    blob.delete_blob()
    blob.create_append_blob()


def make_page_blob(blob: BlobClient) -> None:
    blob.delete_blob()
    blob.create_page_blob(512)


def holding(text: bytes) -> Callable[[BlobClient], object]:
    return lambda blob: blob.upload_blob(text, overwrite=True)


DAMAGES: dict[str, Callable[[BlobClient], object]] = {
    "gone": lambda blob: blob.delete_blob(),
    "archived": lambda blob: blob.set_standard_blob_tier(StandardBlobTier.ARCHIVE),
    "leased without end": lambda blob: BlobLeaseClient(blob).acquire(-1),
    "an append blob": make_append_blob,
    "a page blob": make_page_blob,
    "cut": cut,
    "empty": holding(b""),
    "garbage": holding(b"\x00\xff" * 100),
    "another form": holding(b'{"snapshotId": "99991231T235959Z", "manifest": {}}'),
    "many levels": holding(b"[" * 100_000),
    "huge": holding(bytes(33 * 1024 * 1024)),
}


@pytest.mark.parametrize("path", ["run", "pointer", "manifest", "groups"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_blob_of_the_last_snapshot_that_was_broken_stops_no_run(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, path: str, damage: str
) -> None:
    face_emulator.control.fill(1_100)
    take_snapshot(client, container)
    newest = take_snapshot(client, container)
    strangers = Strangers(container, GROUPS)
    manifest = GROUPS.manifest_path(newest.snapshot_id)
    blob = container.get_blob_client(
        {"run": GROUPS.run, "pointer": GROUPS.pointer, "manifest": manifest, "groups": newest.groups.path}[path]
    )
    DAMAGES[damage](blob)
    after = take_snapshot(client, container)
    assert after.snapshot_id > newest.snapshot_id
    assert after.previous == (None if path == "groups" and damage != "leased without end" else newest.snapshot_id)
    assert published_ids(container) is not None
    strangers.check()


def test_a_pointer_from_the_future_is_passed_over(client: FaceClient, container: ContainerClient) -> None:
    newest = take_snapshot(client, container)
    future = "99991231T235959Z"
    groups = msgspec.structs.replace(newest.groups, path=GROUPS.data_path(future))
    manifest = msgspec.structs.replace(newest, snapshot_id=future, groups=groups)
    container.upload_blob(GROUPS.pointer, msgspec.json.encode(Pointer(future, manifest)), overwrite=True)
    assert take_snapshot(client, container).previous == newest.snapshot_id
