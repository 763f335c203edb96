"""One budget of calls for a Face resource: slots in one line, shared by all instances and all jobs."""

from collections import deque
from datetime import datetime

from shared.budget import row
from shared.budget.machine import THIS_MACHINE, Machine
from shared.budget.row import Slot
from shared.budget.shared_row import SharedRow
from shared.budget.store import BudgetStore

MAX_WAIT_SECONDS = 3.0
"""A slot that is further away is waited for on the queue, not in a worker."""
_LINE_SECONDS = 5.0
"""The line's length and the price change slowly, so an older copy of the row tells them too."""


class Budget:
    """Give out slots; one a process, shared by its threads.

    A call takes a slot, waits until it has come, and reports a 429. Nothing raises where the table cannot be reached:
    the process then goes on alone with a quarter of the budget.
    """

    def __init__(
        self, store: BudgetStore, *, max_tps: float, poll_worth: float, machine: Machine = THIS_MACHINE
    ) -> None:
        self._machine = machine
        self._poll_worth = poll_worth
        self._row = SharedRow(store, machine, max_tps=max_tps)
        self._callers: deque[list[Slot]] = deque()
        self._one_reservation = machine.lock()

    def clock(self) -> datetime:
        """Return the storage's time, UTC."""
        return self._row.clock.now()

    def take(self, kept: Slot | None = None) -> Slot:
        """Return the slot ``kept`` for the call, or the next free one where there is none or it was missed."""
        if kept is not None and not self.is_missed(kept):
            return kept
        return self._reserve()

    def take_ahead(self, delay: float) -> Slot | None:
        """Return a slot for a call that is due in ``delay`` seconds, where the line is longer than that.

        So a call that would have to wait in the line when it is due joins it now. None: take one when it is due.
        """
        if row.line_seconds(self._row.read(_LINE_SECONDS), self.clock()) <= delay:
            return None
        return self._reserve()

    def is_missed(self, slot: Slot) -> bool:
        """Tell whether a slot has passed so long ago that its call needs another."""
        return row.is_void(self._row.read(), slot, self.clock(), self._row.pace)

    def seconds_until(self, slot: Slot) -> float:
        """Return how far away a slot is, as far as is known now: a 429 puts off all that are still to come."""
        return max(0.0, (row.due(self._row.read(), slot.turn) - self.clock()).total_seconds())

    def wait(self, slot: Slot) -> bool:
        """Sleep until a slot has come. Return False, where it is too far away to wait for: keep it for later."""
        while (seconds := self.seconds_until(slot)) > 0:
            if seconds > MAX_WAIT_SECONDS:
                return False
            self._machine.sleep(seconds)
        return True

    def throttled(self, slot: Slot, wait: float | None) -> None:
        """Report that the service said 429 to the call of a slot, and the seconds to wait where it named some."""
        self._row.change(lambda known, now, _pace: (row.throttle(known, slot, now, wait), None))

    def price(self) -> float:
        """Return how many seconds of lateness one poll is worth now."""
        return row.price(self._row.read(_LINE_SECONDS), self.clock(), self._poll_worth)

    def publish_price(self, weights: float) -> None:
        """Publish the price of a poll for schedules whose weights have this sum."""
        self._row.change(lambda known, now, pace: (row.publish_price(known, now, pace, weights), None))

    def take_chunk(self) -> list[Slot]:
        """Return the next few slots for calls that can wait; none while others wait in the line."""
        return self._row.change(row.reserve_chunk)

    def line_seconds(self) -> float:
        """Return how long the line is, in seconds."""
        return row.line_seconds(self._row.read(), self.clock())

    def _reserve(self) -> Slot:
        """Reserve for all threads that wait here, one reservation at a time; the others find their slot taken."""
        mine: list[Slot] = []
        self._callers.append(mine)
        with self._one_reservation:
            if not mine:
                served = list(self._callers)
                slots = self._row.change(lambda known, now, pace: row.reserve(known, now, pace, len(served)))
                for caller, slot in zip(served, slots, strict=True):
                    caller.append(slot)
                    self._callers.popleft()
            return mine[0]
