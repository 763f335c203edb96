"""The lease of a run: one run at a time, and whatever becomes of the lease, the next run publishes."""

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.snapshots.errors import LeaseLost
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.lease import hold_lease
from shared.snapshots.stored.progress import Origin, new_progress
from shared.snapshots.stored.run import RunState
from tests.support.snapshots import GROUPS, new_container, published_ids, snapshot_job, take_snapshot
from tests.support.strangers import Strangers

OURS, ANOTHER = str(uuid.uuid4()), str(uuid.uuid4())
"""The ID of the lease that the app holds, and of one that somebody else does."""


def test_a_second_run_says_that_one_is_running_and_ends_well(
    client: FaceClient, container: ContainerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with hold_lease(container.get_blob_client(GROUPS.run)) as lease, caplog.at_level(logging.INFO):
        assert lease
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
    with hold_lease(container.get_blob_client(GROUPS.run)) as lease:
        assert lease
        deadline = datetime.now(UTC) + timedelta(seconds=1.5)
        while datetime.now(UTC) < deadline:
            lease.check()


def test_a_lease_that_cannot_be_renewed_in_time_is_given_up(
    container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.stored.lease._SAFE_SECONDS", -1.0)
    with hold_lease(container.get_blob_client(GROUPS.run)) as lease:
        assert lease
        with pytest.raises(LeaseLost):
            lease.check()


def held(blob: BlobClient, seconds: int = 15) -> BlobLeaseClient:
    """Hold the lease as somebody else, for so many seconds (-1: for ever)."""
    lease = BlobLeaseClient(blob, ANOTHER)
    lease.acquire(seconds)
    return lease


def breaking(blob: BlobClient) -> None:
    held(blob, 60).break_lease(3)


def leave_progress(blob: BlobClient) -> None:
    origin = Origin("https://elsewhere.example", "v1.2-preview.1", includes_user_data=True)
    blob.upload_blob(msgspec.json.encode(RunState(new_progress(origin, datetime.now(UTC), "a-run", newer_than=[]))))


BEFORE: dict[str, Callable[[BlobClient], object]] = {
    "held by somebody without end": lambda blob: held(blob, -1),
    "broken without end": lambda blob: held(blob, -1).break_lease(3),
    "being broken": breaking,
    "broken": lambda blob: held(blob).break_lease(0),
    "given back": lambda blob: held(blob).release(),
    "gone with its blob": lambda blob: blob.delete_blob(lease=held(blob)),
    "not there while a run seems under way": leave_progress,
}


@pytest.mark.parametrize("spoil", BEFORE.values(), ids=BEFORE)
def test_a_lease_that_was_spoilt_between_two_runs_stops_no_run(
    client: FaceClient,
    container: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[BlobClient], object],
) -> None:
    monkeypatch.setattr("shared.snapshots.stored.lease._RETRY_SECONDS", 0.2)
    strangers = Strangers(container, GROUPS)
    blob = container.get_blob_client(GROUPS.run)
    if spoil is not leave_progress:
        blob.upload_blob(b"")
    spoil(blob)
    assert take_snapshot(client, container, lease_patience=5.0)
    assert published_ids(container) is not None
    strangers.check()


def test_the_lease_of_a_run_that_died_is_waited_for_and_one_that_ran_out_is_not(
    client: FaceClient, container: ContainerClient, azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.stored.lease._RETRY_SECONDS", 0.2)
    elsewhere = new_container(azurite.connection_string)
    for each in (elsewhere, container):
        each.upload_blob(GROUPS.run, b"")
        held(each.get_blob_client(GROUPS.run))
    assert snapshot_job(client, container).run() is None
    assert snapshot_job(client, container, lease_patience=20.0).run()
    assert elsewhere.get_blob_client(GROUPS.run).get_blob_properties().lease.state == "expired"
    assert snapshot_job(client, elsewhere).run()


def replaced(blob: BlobClient) -> None:
    BlobLeaseClient(blob, OURS).release()
    blob.upload_blob(b"{}", overwrite=True)
    held(blob)


UNDER_WAY: dict[str, Callable[[BlobClient], object]] = {
    "broken": lambda blob: BlobLeaseClient(blob, OURS).break_lease(0),
    "given back": lambda blob: BlobLeaseClient(blob, OURS).release(),
    "changed": lambda blob: BlobLeaseClient(blob, OURS).change(ANOTHER),
    "taken by another": replaced,
    "gone with its blob": lambda blob: blob.delete_blob(lease=OURS),
}


@pytest.mark.parametrize("spoil", UNDER_WAY.values(), ids=UNDER_WAY)
def test_a_run_whose_lease_was_spoilt_publishes_nothing_and_the_next_one_does(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[BlobClient], object],
) -> None:
    strangers = Strangers(container, GROUPS)
    face_emulator.control.fill(10)
    blob = container.get_blob_client(GROUPS.run)
    stage = Archive.stage

    def stage_and_spoil(*arguments: Any) -> None:
        stage(*arguments)
        spoil(blob)

    with monkeypatch.context() as patch:
        patch.setattr("shared.snapshots.stored.lease.BlobLeaseClient", partial(BlobLeaseClient, lease_id=OURS))
        patch.setattr(Archive, "stage", stage_and_spoil)
        with pytest.raises(LeaseLost):
            snapshot_job(client, container).run()
    assert published_ids(container) is None
    if blob.exists() and blob.get_blob_properties().lease.state == "leased":
        assert snapshot_job(client, container).run() is None
        BlobLeaseClient(blob, ANOTHER).release()
    assert take_snapshot(client, container, lease_patience=5.0)
    assert published_ids(container) is not None
    strangers.check()


@pytest.mark.parametrize("spoil", UNDER_WAY.values(), ids=UNDER_WAY)
def test_a_lease_that_was_spoilt_after_the_snapshot_was_published_is_no_failure(
    client: FaceClient, container: ContainerClient, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[BlobClient], None]
) -> None:
    publish = Catalog.publish

    def publish_and_spoil(*arguments: Any) -> None:
        publish(*arguments)
        spoil(container.get_blob_client(GROUPS.run))

    with monkeypatch.context() as patch:
        patch.setattr("shared.snapshots.stored.lease.BlobLeaseClient", partial(BlobLeaseClient, lease_id=OURS))
        patch.setattr(Catalog, "publish", publish_and_spoil)
        first = take_snapshot(client, container)
    with suppress(AzureError):
        BlobLeaseClient(container.get_blob_client(GROUPS.run), ANOTHER).release()
    assert take_snapshot(client, container).previous == first.snapshot_id
