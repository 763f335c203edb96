"""Make snapshots of an emulator's groups in containers of their own, and read them as others would."""

import gzip
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

from local.snapshot_check import find_problems, read_ids, read_pointer
from shared.face.client import ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.face.groups import GroupsClient, Pace
from shared.face.page import ListedKind
from shared.snapshots.snapshot import SnapshotJob
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.manifest import Manifest
from tests.support.face_service import VERSION, FaceService

GROUPS = Layout(ListedKind.DYNAMIC_PERSON_GROUP, "groups")
"""Where the copies of dynamic person groups lie."""


def new_container(connection_string: str) -> ContainerClient:
    """Make an empty container with a name of its own."""
    return BlobServiceClient.from_connection_string(connection_string).create_container(f"test-{uuid.uuid4().hex}")


def face_client(endpoint: str, key: str) -> FaceClient:
    """Return a client of the emulator."""
    return FaceClient(endpoint, KeyCredential(key), ApiVersions(VERSION, VERSION))


class Unhurried:
    """A pace that holds nobody."""

    def take(self) -> None:
        """Return at once."""

    def throttled(self, slot: None, wait: float | None) -> None:
        """Do nothing: whoever was throttled waits by itself."""

    def keep_slot(self) -> float:
        """Return that a call may be made now."""
        return 0.0


class Steady(Unhurried):
    """A pace of so many calls a second."""

    def __init__(self, per_second: float) -> None:
        self._seconds = 1 / per_second
        self._next = time.monotonic()
        self._lock = Lock()

    def take(self) -> None:
        """Return once the next slot has come."""
        with self._lock:
            slot = self._next = max(time.monotonic(), self._next + self._seconds)
        time.sleep(max(0.0, slot - time.monotonic()))

    def keep_slot(self) -> float:
        """Return how long a call that is made now would wait for its slot."""
        return max(0.0, self._next + self._seconds - time.monotonic())


def snapshot_job(
    client: FaceClient,
    container: ContainerClient,
    kind: ListedKind = ListedKind.DYNAMIC_PERSON_GROUP,
    *,
    include_user_data: bool = True,
    patience: float = 20.0,
    lease_patience: float = 0.0,
    pace: Pace[Any] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SnapshotJob:
    """Return the job with a patience that suits tests, in seconds."""
    return SnapshotJob(
        GroupsClient(client, pace or Unhurried()),
        container,
        kind,
        include_user_data=include_user_data,
        patience=patience,
        lease_patience=lease_patience,
        clock=clock,
    )


def take_snapshot(client: FaceClient, container: ContainerClient, **options: Any) -> Manifest:
    """Make a snapshot, and return its manifest."""
    manifest = snapshot_job(client, container, **options).run()
    assert manifest
    return manifest


def published_ids(container: ContainerClient) -> list[str] | None:
    """Return the IDs of the newest snapshot after holding it to its manifest, `None` where there is none."""
    pointer = read_pointer(container)
    if pointer is None:
        return None
    assert find_problems(container, pointer) == []
    return read_ids(container, pointer)


def read_lines(container: ContainerClient, path: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a gzipped blob."""
    return [json.loads(line) for line in gzip.decompress(container.download_blob(path).readall()).splitlines()]


def all_ids(service: FaceService) -> list[str]:
    """Return the IDs of the service's groups by a plain loop."""
    ids: list[str] = []
    while page := service.list_ids(start=ids[-1] if ids else "", top=1000):
        ids += page
    return ids
