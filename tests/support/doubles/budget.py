"""Model the budget: slots that are free at once, but for those that the test puts off."""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.budget.budget import MAX_WAIT_SECONDS
from shared.budget.row import Slot

_MAX_LATE_SECONDS = 5.0
"""A slot that passed longer ago is void."""


class ModelBudget:
    """Respond as ``Budget`` does. ``seconds_away`` returns how far away the next slot is."""

    def __init__(self, clock: Callable[[], datetime], seconds_away: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._seconds_away = seconds_away

    def clock(self) -> datetime:
        return self._clock()

    def take(self, kept: Slot | None = None) -> Slot:
        if kept is not None and not self.is_missed(kept):
            return kept
        return Slot(self._clock() + timedelta(seconds=self._seconds_away()))

    def take_ahead(self, delay: float) -> Slot | None:  # noqa: ARG002 - the line is never longer than that
        return None

    def is_missed(self, slot: Slot) -> bool:
        return (self._clock() - slot.turn).total_seconds() > _MAX_LATE_SECONDS

    def seconds_until(self, slot: Slot) -> float:
        return max(0.0, (slot.turn - self._clock()).total_seconds())

    def wait(self, slot: Slot) -> bool:
        return self.seconds_until(slot) <= MAX_WAIT_SECONDS

    def throttled(self, slot: Slot, wait: float | None) -> None:
        pass

    def price(self) -> float:
        return 1.0

    def publish_price(self, weights: float) -> None:
        pass
