"""Slots for calls that can wait: a snapshot's pages."""

from collections import deque

from shared.budget.budget import Budget
from shared.budget.machine import THIS_MACHINE, Machine
from shared.budget.row import CHUNK_SECONDS, Slot

_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0


class BulkSlots:
    """Take slots in small chunks, and only while no poll waits; one a process, shared by threads."""

    def __init__(self, budget: Budget, machine: Machine = THIS_MACHINE) -> None:
        self._budget = budget
        self._machine = machine
        self._one_chunk = machine.lock()
        self._chunk: deque[Slot] = deque()

    def take(self, patience: float) -> Slot | None:
        """Return a slot once it has come, or None where none comes within ``patience`` seconds: ask again then."""
        until = self._machine.monotonic() + patience
        with self._one_chunk:
            while not self._fill():
                if not self._pause(max(_SHORTEST_PAUSE_SECONDS, self.seconds_until_free()), until):
                    return None
            slot = self._chunk.popleft()
        while (seconds := self._budget.seconds_until(slot)) > 0:
            if not self._pause(seconds, until):
                self._chunk.appendleft(slot)
                return None
        return slot

    def seconds_until_free(self) -> float:
        """Return how long a call that is made now waits for its slot at least, in seconds."""
        if self._chunk:
            return 0.0
        return max(0.0, self._budget.line_seconds() - CHUNK_SECONDS / 2)

    def _fill(self) -> bool:
        """Take a chunk where the last one is used up; tell whether there are slots now."""
        while self._chunk and self._budget.is_missed(self._chunk[0]):
            self._chunk.popleft()
        if not self._chunk:
            self._chunk.extend(self._budget.take_chunk())
        return bool(self._chunk)

    def _pause(self, seconds: float, until: float) -> bool:
        """Sleep, but not for long, since the line changes; return False, at once, where that would be too long."""
        pause = min(seconds, _LONGEST_PAUSE_SECONDS)
        if self._machine.monotonic() + pause > until:
            return False
        self._machine.sleep(pause)
        return True
