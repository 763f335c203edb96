"""The processes of this machine, as Linux shows them: proc_pid_stat(5)."""

import os
import signal
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process of this machine."""

    pid: int
    began: int  # clock ticks since the machine's start, because IDs are used again

    @property
    def command(self) -> str:
        """What was called, with its arguments; empty where it has ended."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""

    def kill(self) -> None:
        """End the process at once."""
        os.kill(self.pid, signal.SIGKILL)


def descendants(pid: int) -> set[Process]:
    """Return the living processes that a process started, and those that these started."""
    children = defaultdict(list)
    for process, parent in _living().items():
        children[parent].append(process)
    started: set[Process] = set()
    left = [*children[pid]]
    while left:
        process = left.pop()
        started.add(process)
        left += children[process.pid]
    return started


def still_living(processes: set[Process]) -> set[Process]:
    """Return those of the processes that have not ended."""
    return processes & _living().keys()


def _living() -> dict[Process, int]:
    """Return every process that has not ended, with its parent's ID."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue  # it has ended meanwhile
        # The second field is the name in brackets, which may hold anything; the state is the third.
        state, parent, *others = text.rpartition(")")[2].split()
        if state != "Z":
            parents[Process(int(entry.name), began=int(others[17]))] = int(parent)
    return parents
