import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobLeaseClient, ContainerClient

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.face.errors import ServerFault
from shared.snapshots.errors import AlreadyPublished, LeaseLost
from shared.snapshots.stored.archive import SnapshotArchive
from shared.snapshots.stored.lease import LOCK_PATH, run_lock
from tests.support.snapshots import face_client, published_ids, snapshot_job


def test_a_second_run_says_that_one_is_running_and_ends_well(
    client: FaceClient, container: ContainerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with run_lock(container) as lock, caplog.at_level(logging.INFO):
        assert lock
        assert snapshot_job(client, container).run() is None
    assert "snapshot already running" in caplog.messages
    assert snapshot_job(client, container).run()


def test_of_many_runs_at_once_one_publishes(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(2_000)
    face_emulator.control.settings(latency=0.3)
    with ThreadPoolExecutor(4) as pool:
        manifests = [run.result() for run in [pool.submit(snapshot_job(client, container).run) for _ in range(4)]]
    assert len([manifest for manifest in manifests if manifest]) == 1


def test_the_lease_is_renewed_while_a_run_lasts(container: ContainerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.snapshots.stored.lease.RENEW_SECONDS", 0.05)
    monkeypatch.setattr("shared.snapshots.stored.lease._SAFE_SECONDS", 1.0)
    with run_lock(container) as lock:
        assert lock
        deadline = datetime.now(UTC) + timedelta(seconds=1.5)
        while datetime.now(UTC) < deadline:
            lock.check()


def test_a_run_that_lost_its_lease_publishes_nothing(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(20_000)
    face_emulator.control.settings(latency=0.3)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(snapshot_job(client, container).run)
        wait_for_pages(face_emulator, 2)
        BlobLeaseClient(container.get_blob_client(LOCK_PATH)).break_lease(0)
        with run_lock(container) as other:
            assert other
            with pytest.raises(LeaseLost):
                running.result()
    assert published_ids(container) is None


def test_a_lease_that_cannot_be_renewed_in_time_is_given_up(
    container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.stored.lease._SAFE_SECONDS", -1.0)
    with run_lock(container) as lock:
        assert lock
        with pytest.raises(LeaseLost):
            lock.check()


def test_what_a_run_listed_before_it_failed_is_not_listed_again(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(30_000)
    slow = face_client(face_emulator.endpoint, face_emulator.key, per_second=50)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(snapshot_job(slow, container, patience=0.1).run)
        wait_for_pages(face_emulator, 15)
        face_emulator.control.faults(faults.ErrorResponse())
        with pytest.raises(ServerFault):
            running.result()
    face_emulator.control.faults()
    with caplog.at_level(logging.INFO):
        manifest = snapshot_job(client, container).run()
    assert manifest
    (resumed,) = [record for record in caplog.records if record.getMessage() == "snapshot resumed"]
    assert resumed.__dict__["groups"] >= 10_000
    assert manifest.calls < 30 + 15
    assert manifest.groups.count == 30_000
    assert published_ids(container) is not None


def wait_for_pages(face_emulator: FaceEmulator, count: int) -> None:
    """Wait until the emulator has answered so many pages."""
    while face_emulator.control.statistics().requests.get("dynamicPersonGroup.list", {}).get("200", 0) < count:
        pass


def test_a_run_that_died_more_than_a_day_ago_is_not_gone_on_with(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(5_000)
    with run_lock(container) as lock:
        assert lock
        job = snapshot_job(client, container, clock=lambda: datetime.now(UTC) - timedelta(hours=25))
        monkeypatch.setattr(SnapshotArchive, "commit_groups", _die)
        with pytest.raises(Died):
            job._run(lock)  # noqa: SLF001 - the lock is held already, as by a run that died
    monkeypatch.undo()
    manifest = snapshot_job(client, container).run()
    assert manifest
    assert manifest.snapshot_id > f"{datetime.now(UTC) - timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    left = [blob.name for blob in container.list_blobs(include=["uncommittedblobs"]) if "groups.nd" in blob.name]
    assert left == [f"{manifest.path}/groups.ndjson.gz"]


class Died(Exception):
    pass


def _die(*_: object) -> None:
    raise Died


def test_half_made_blobs_are_discarded(client: FaceClient, container: ContainerClient) -> None:
    half = "dynamic-person-groups/2026/11/19/20261119T030000Z"
    container.get_blob_client(f"{half}/groups.ndjson.gz").stage_block("0" * 32, b"half")
    container.upload_blob(f"{half}/changes.ndjson.gz", b"half")
    manifest = snapshot_job(client, container).run()
    assert manifest
    left = {blob.name for blob in container.list_blobs(include=["uncommittedblobs"])}
    assert not any(name.startswith(half) for name in left)


def test_a_commit_whose_answer_was_lost_is_done_and_one_of_others_is_refused(container: ContainerClient) -> None:
    archive = SnapshotArchive(container)
    archive.stage("path", "1" * 32, b"ours")
    archive.commit_groups("path", ["1" * 32])
    archive.commit_groups("path", ["1" * 32])
    archive.stage("path", "2" * 32, b"theirs")
    with pytest.raises(AlreadyPublished):
        archive.commit_groups("path", ["2" * 32])
    assert b"".join(archive.read_groups("path")) == b"ours"


def test_a_pointer_that_another_run_has_moved_stays_as_it_is(client: FaceClient, container: ContainerClient) -> None:
    archive = SnapshotArchive(container)
    first = snapshot_job(client, container).run()
    before = archive.published()
    second = snapshot_job(client, container).run()
    assert first
    assert second
    archive.publish(second, before)  # its answer was lost: it is done
    with pytest.raises(AlreadyPublished):
        archive.publish(first, before)
    with pytest.raises(AlreadyPublished):
        archive.publish(first, None)
    now = archive.published()
    assert now
    assert now.manifest == second


def test_a_blob_that_changes_while_it_is_read_is_found_out(container: ContainerClient) -> None:
    archive = SnapshotArchive(container)
    blob = container.get_blob_client("path/groups.ndjson.gz")
    blob.upload_blob(b"x" * 10)
    reading = archive.read_groups("path")
    blob.stage_block("3" * 32, b"y" * 10)
    blob.commit_block_list([BlobBlock("3" * 32)])
    assert b"".join(reading) == b"y" * 10
    with pytest.raises(ResourceNotFoundError):
        list(archive.read_groups("elsewhere"))
