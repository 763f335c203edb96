"""Make snapshots of an emulator's groups in containers of their own, and read them as others would."""

import gzip
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

from local.snapshot_check import find_problems, read_ids, read_pointer
from shared.face.budget import RequestBudget
from shared.face.client import ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.snapshots.snapshot import SnapshotJob
from tests.support.face_service import VERSION, FaceService


def new_container(connection_string: str) -> ContainerClient:
    """Make an empty container with a name of its own."""
    return BlobServiceClient.from_connection_string(connection_string).create_container(f"test-{uuid.uuid4().hex}")


def face_client(endpoint: str, key: str, *, per_second: float = 10_000) -> FaceClient:
    """Return a client whose budget is no hindrance unless told otherwise."""
    versions = ApiVersions(VERSION, VERSION)
    return FaceClient(endpoint, KeyCredential(key), versions, budget=RequestBudget(per_second))


def snapshot_job(
    client: FaceClient,
    container: ContainerClient,
    *,
    include_user_data: bool = True,
    patience: float = 20.0,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SnapshotJob:
    """Return the job with a patience that suits tests, in seconds."""
    return SnapshotJob(client, container, include_user_data=include_user_data, patience=patience, clock=clock)


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
