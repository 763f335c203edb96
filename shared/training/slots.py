"""Take the slots that one step needs: those that an earlier step has paid for, then new ones."""

from shared.budget.budget import Budget
from shared.budget.row import MAX_LINE_SECONDS, Slot
from shared.training.decide import LaterSlot
from shared.training.record import Watch


class Slots:
    """The slots of one step. ``paid_by`` is the watch whose follow-up was delayed until its slot, if it was."""

    def __init__(self, budget: Budget, paid_by: Watch | None) -> None:
        self._budget = budget
        self._kept: list[Slot] = []
        if paid_by is not None and paid_by.slot is not None:
            slot = Slot(paid_by.slot)
            # A row that somebody else has written may name a slot that nobody was given.
            if budget.seconds_until(slot) <= MAX_LINE_SECONDS:
                self._kept = [slot] * paid_by.paid_calls

    def wait_for_next(self) -> Slot | LaterSlot:
        """Return the slot of the next call once it has come; a later one at once where that would take too long."""
        slot = self._budget.take(self._kept.pop() if self._kept else None)
        if self._budget.wait(slot):
            return slot
        return LaterSlot(slot.turn, self._budget.seconds_until(slot))

    def pay_for_two(self, first: LaterSlot) -> LaterSlot:
        """Take one more slot, and return it as worth two calls: its own, and that of the slot just before it."""
        second = self._budget.take()
        return LaterSlot(second.turn, max(first.delay, self._budget.seconds_until(second)), calls=2)
