import json
import logging
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from local.snapshot_check import find_problems, read_ids, read_pointer
from shared.face.client import FaceClient
from shared.face.errors import Unauthorized
from shared.face.page import ListedKind
from shared.snapshots.jobs import SnapshotJobs
from shared.snapshots.stored.layout import DIRECTORIES
from shared.storage import Storage
from tests.support.snapshots import snapshot_job, take_snapshot

WATCHED = [kind for kind in ListedKind if kind is not ListedKind.DYNAMIC_PERSON_GROUP]


@pytest.fixture
def requests_queue(storage: Storage) -> Iterator[QueueClient]:
    """Return the queue of requests, with nothing in it."""
    storage.snapshot_requests_queue.clear_messages()
    yield storage.snapshot_requests_queue
    storage.snapshot_requests_queue.clear_messages()


@pytest.fixture
def jobs(client: FaceClient, container: ContainerClient, requests_queue: QueueClient) -> SnapshotJobs:
    return SnapshotJobs(
        {kind: snapshot_job(client, container, kind, patience=0.1) for kind in WATCHED}, None, requests_queue
    )


def take_requests(queue: QueueClient) -> list[bytes]:
    """Take the messages off the queue."""
    bodies = []
    for message in queue.receive_messages():
        queue.delete_message(message)
        bodies.append(message.content.encode())
    return bodies


@pytest.mark.parametrize("kind", WATCHED)
def test_groups_of_each_kind_have_snapshots_of_their_own(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, kind: ListedKind
) -> None:
    for number in range(3):
        face_emulator.control.group(kind, f"group-{number}")
    manifest = take_snapshot(client, container, kind=kind)
    assert manifest.kind is kind
    pointer = read_pointer(container, DIRECTORIES[kind])
    assert pointer
    assert read_ids(container, pointer) == ["group-0", "group-1", "group-2"]
    assert find_problems(container, pointer) == []
    assert {name.partition("/")[0] for name in container.list_blob_names()} == {DIRECTORIES[kind]}


def test_a_kind_that_fails_stops_no_other_and_is_taken_up_by_the_timer(
    face_emulator: FaceEmulator, container: ContainerClient, jobs: SnapshotJobs, requests_queue: QueueClient
) -> None:
    face_emulator.control.faults(faults.ErrorResponse(operation="largePersonGroup.list", status=401, code="401"))
    with pytest.raises(Unauthorized):
        jobs.run_all()
    assert read_pointer(container, "person-groups")
    assert read_pointer(container, "large-face-lists")
    assert read_pointer(container, "large-person-groups") is None
    face_emulator.control.faults()
    jobs.request_failed()
    (body,) = take_requests(requests_queue)
    jobs.handle(body)
    taken = read_pointer(container, "large-person-groups")
    assert taken
    jobs.handle(body)  # it came again: nothing has failed any more
    assert read_pointer(container, "large-person-groups") == taken
    jobs.request_failed()
    assert take_requests(requests_queue) == []


def test_a_request_takes_a_snapshot_and_what_is_none_is_dropped(
    container: ContainerClient, jobs: SnapshotJobs, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for body in (b"", b"[" * 100_000, b'{"kind": "dynamicPersonGroup"}', b'{"kind": "secret"}', b"\xff"):
            jobs.handle(body)
    assert list(container.list_blob_names()) == []
    assert len(caplog.records) == 5
    assert "secret" not in "".join(str(record.__dict__) for record in caplog.records)
    jobs.handle(json.dumps({"kind": "personGroup"}).encode())
    assert read_pointer(container, "person-groups")
