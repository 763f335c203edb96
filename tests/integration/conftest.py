"""The real parts that integration tests run against."""

from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator, start_face_emulator
from shared.face.client import FaceClient
from shared.settings import ConnectionString
from shared.storage import Storage, connect
from tests.support.face_service import FaceService
from tests.support.snapshots import face_client, new_container
from tests.support.watch_parts import WatchParts


@pytest.fixture(scope="session")
def face_emulator_process() -> Iterator[FaceEmulator]:
    """Run one Face emulator, on a free port, for the tests of this process."""
    with start_face_emulator() as running:
        yield running


@pytest.fixture
def face_emulator(face_emulator_process: FaceEmulator) -> FaceEmulator:
    """Return the Face emulator as fresh as it was at its start."""
    face_emulator_process.control.reset()
    return face_emulator_process


@pytest.fixture(scope="session")
def storage_of_process(azurite: Azurite) -> Storage:
    """Return clients of this process's Azurite."""
    return connect(ConnectionString(azurite.connection_string))


@pytest.fixture
def storage(storage_of_process: Storage) -> Storage:
    """Return the app's storage with nothing in its queues and its table."""
    storage_of_process.make_missing()
    for queue in (storage_of_process.watch_queue, storage_of_process.poison_queue, storage_of_process.results_queue):
        queue.clear_messages()
    for row in storage_of_process.watch_table.list_entities(select=["PartitionKey", "RowKey"]):
        storage_of_process.watch_table.delete_entity(row)
    return storage_of_process


@pytest.fixture
def service(face_emulator: FaceEmulator) -> FaceService:
    """Return a plain HTTP client of the Face emulator."""
    return FaceService(face_emulator.endpoint, face_emulator.key)


@pytest.fixture
def client(face_emulator: FaceEmulator) -> FaceClient:
    """Return the app's client of the Face emulator."""
    return face_client(face_emulator.endpoint, face_emulator.key)


@pytest.fixture
def container(azurite: Azurite) -> ContainerClient:
    """Return a container of the test's own."""
    return new_container(azurite.connection_string)


@pytest.fixture
def parts(azurite: Azurite, face_emulator: FaceEmulator) -> Iterator[WatchParts]:
    """Return everything that watches need, fresh and of the test's own."""
    fresh = WatchParts(azurite.connection_string, face_emulator)
    yield fresh
    fresh.remove_parts()
