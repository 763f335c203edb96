"""Slots for calls that can wait: a snapshot's pages."""

from collections import deque

from shared.budget.budget import Budget
from shared.budget.machine import THIS_MACHINE, Machine
from shared.budget.row import CHUNK_SECONDS, Slot

_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0
_SOON_SECONDS = 0.02
"""A slot that is no further away is kept for a call: a thread takes so long to make it."""


class BulkSlots:
    """Take slots in small chunks, and only while no poll waits; one a process, shared by threads."""

    def __init__(self, budget: Budget, machine: Machine = THIS_MACHINE) -> None:
        self._budget = budget
        self._machine = machine
        self._one_waits = machine.lock()
        self._one_changes = machine.lock()
        self._chunk: deque[Slot] = deque()
        self._kept: deque[Slot] = deque()  # for calls that are about to be made

    def take(self, patience: float) -> Slot | None:
        """Return a slot once it has come, or None where none comes within ``patience`` seconds: ask again then."""
        until = self._machine.monotonic() + patience
        with self._one_waits:
            while (slot := self._next()) is None:
                if not self._pause(self._seconds_to_chunk(), until):
                    return None
        while (seconds := self._budget.seconds_until(slot)) > 0:
            if not self._pause(seconds, until):
                self._chunk.appendleft(slot)
                return None
        return slot

    def keep(self) -> float:
        """Keep the next slot for a call that is about to be made, once it has nearly come.

        Return 0 where it is kept, else the seconds until then: what is known by then tells which call is worth it.
        """
        with self._one_changes:
            if not self._fill():
                return self._seconds_to_chunk()
            seconds = self._budget.seconds_until(self._chunk[0])
            if seconds > _SOON_SECONDS:
                return seconds - _SOON_SECONDS
            self._kept.append(self._chunk.popleft())
            return 0.0

    def _next(self) -> Slot | None:
        with self._one_changes:
            while self._kept:
                slot = self._kept.popleft()
                if not self._budget.is_missed(slot):
                    return slot
            return self._chunk.popleft() if self._fill() else None

    def _seconds_to_chunk(self) -> float:
        return max(_SHORTEST_PAUSE_SECONDS, self._budget.line_seconds() - CHUNK_SECONDS / 2)

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
