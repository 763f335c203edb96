"""The real parts that integration tests run against."""

from collections.abc import Iterator

import pytest

from local.face_emulator.process import FaceEmulator, start_face_emulator


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
