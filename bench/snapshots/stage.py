"""The parts that a measurement runs on: Azurite, one Face emulator, and the app's job in a process of its own."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite, start_azurite
from local.face_emulator.dynamic_groups import Shape
from local.face_emulator.process import FaceEmulator, start_face_emulator

NO_LIMIT = 10_000.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Run(msgspec.Struct, frozen=True):
    """What one snapshot took; see `bench.snapshots.run`."""

    groups: int
    calls: int
    listing_seconds: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def groups_per_second(self) -> float:
        """Groups from the first call until all is published."""
        return self.groups / self.seconds


@dataclass(frozen=True)
class Stage:
    """Azurite and the emulator, and what is done with them."""

    azurite: Azurite
    emulator: FaceEmulator

    def fill(self, count: int, shape: Shape = "uniform") -> None:
        """Have the emulator hold so many groups of this shape, and no others."""
        self.emulator.control.reset()
        self.emulator.control.fill(count, shape=shape)

    def latency(self, seconds: float) -> None:
        """Have each response take so long."""
        self.emulator.control.settings(latency=seconds)

    def new_container(self) -> str:
        """Make an empty container, and return its name."""
        name = f"bench-{uuid.uuid4().hex}"
        BlobServiceClient.from_connection_string(self.azurite.connection_string).create_container(name)
        return name

    def snapshot(self, container: str, *, per_second: float = NO_LIMIT, runs: int = 1) -> list[Run]:
        """Make snapshots, one after the other, in one new process."""
        command = [
            *(sys.executable, "-m", "bench.snapshots.run", self.azurite.connection_string, container),
            *(self.emulator.endpoint, self.emulator.key, str(per_second), str(runs)),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return [msgspec.json.decode(line, type=Run) for line in done.stdout.splitlines()]

    def restore(self, what: str, groups: str, members: str) -> dict[str, float]:
        """Copy all groups and members (`COPY`) or restore them (`RESTORE`) in a new process."""
        command = [
            *(sys.executable, "-m", "bench.snapshots.restore", what, self.azurite.connection_string),
            *(self.emulator.endpoint, self.emulator.key, groups, members),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return figures

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU seconds that the emulator and Azurite have used so far."""
        return {
            "emulator": _cpu_seconds(self.emulator.child.process.pid),
            "Azurite": _cpu_seconds(self.azurite.child.process.pid),
        }


@contextmanager
def start_stage() -> Iterator[Stage]:
    """Run Azurite and one emulator until the block is left."""
    with start_azurite() as azurite, start_face_emulator() as emulator:
        yield Stage(azurite, emulator)


def _cpu_seconds(process: int) -> float:
    # The fields behind the program's name in parentheses (proc_pid_stat(5)): 12 and 13 are utime and stime.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
