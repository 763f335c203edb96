"""The real parts that integration tests run against."""

from collections.abc import Iterator

import pytest

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator, start_face_emulator
from shared.settings import ConnectionString
from shared.storage import Storage, connect


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
