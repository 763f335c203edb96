"""The pace of the jobs that can wait: slots of the shared budget, in small chunks, and only while no poll waits."""

from shared.budget.budget import Budget
from shared.budget.bulk import BulkSlots
from shared.budget.row import Slot

_PATIENCE_SECONDS = 60.0


class BulkPace:
    """The slots of one process for calls that can wait, which threads may share."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._slots = BulkSlots(budget)

    def take(self) -> Slot:
        """Return a slot once it has come, however long that takes."""
        while (slot := self._slots.take(_PATIENCE_SECONDS)) is None:
            pass
        return slot

    def throttled(self, slot: Slot, wait: float | None) -> None:
        """Note that the service said 429 to the call of a slot."""
        self._budget.throttled(slot, wait)

    def keep_slot(self) -> float:
        """Keep a slot for a call that is about to be made; return 0, or the seconds until one can be kept."""
        return self._slots.keep()
