"""Looks at the processes of this machine, as Linux shows them: proc_pid_stat(5)."""

import os
import signal
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process: its ID, and when it began (in clock ticks), since IDs are used again."""

    pid: int
    began: int

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
    found: set[Process] = set()
    left = [*children[pid]]
    while left:
        process = left.pop()
        found.add(process)
        left += children[process.pid]
    return found


def still_living(processes: set[Process]) -> set[Process]:
    """Return those of the processes that have not ended."""
    return processes & _living().keys()


def _living() -> dict[Process, int]:
    """Return every process that has not ended, with its parent's ID."""
    found = {}
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
            found[Process(int(entry.name), began=int(others[17]))] = int(parent)
    return found
