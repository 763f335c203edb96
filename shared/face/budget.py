"""Keep all calls to the service within its requests per second."""

import math
import time
from collections.abc import Callable
from threading import Lock

from shared.face.errors import BudgetExhausted

_SLOWEST = 1 / 64
"""The least share of the full pace that refusals lower it to."""
_RECOVERY = 1 / 100
"""The share of the full pace that each good answer gives back."""
MAX_PAUSE_SECONDS = 60.0
"""The longest that one refusal holds all calls; whoever was asked for a longer wait keeps to it by itself."""


class RequestBudget:
    """Pace the calls of all threads to ``per_second``, evenly, so that no second sees a burst.

    A refusal (429) halves the pace and holds all calls for as long as the service asks; good answers raise the pace
    again, bit by bit, up to ``per_second``. ``clock`` returns seconds that only grow; ``sleep`` waits for some.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._full_pace = per_second
        self._pace = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._next_slot = clock()
        self._held_until = self._next_slot
        self._lowered = -math.inf
        self._refusals = 0

    def wait_for_slot(self, patience: float) -> float:
        """Return when the next call may be made, with the moment of its slot on the budget's clock.

        Raises:
            BudgetExhausted: at once, where that would take more than ``patience`` seconds; no slot is then taken.
        """
        deadline = self._clock() + patience
        while True:
            slot, wait, refusals = self._take_slot(deadline)
            if wait > 0:
                self._sleep(wait)
            with self._lock:
                if refusals == self._refusals:
                    return slot
            # A refusal came meanwhile: the slots that were given out before it are void.

    def seconds_until_free(self) -> float:
        """Return how long a call that is made now would wait for its slot."""
        with self._lock:
            return max(0.0, self._next_slot - self._clock())

    def refused(self, slot: float, wait: float | None) -> None:
        """Note that the call of ``slot`` was answered with 429 and a ``wait`` in seconds, where it named one.

        Calls that were under way when the pace was lowered do not lower it once more.
        """
        with self._lock:
            now = self._clock()
            if slot > self._lowered:
                self._lowered = now
                self._pace = max(self._full_pace * _SLOWEST, self._pace / 2)
            pause = min(MAX_PAUSE_SECONDS, wait or 0.0)
            self._held_until = max(self._held_until, now + pause)
            self._next_slot = max(self._held_until, now + 1 / self._pace)
            self._refusals += 1

    def answered(self) -> None:
        """Note that a call was answered otherwise."""
        with self._lock:
            self._pace = min(self._full_pace, self._pace + self._full_pace * _RECOVERY)

    def _take_slot(self, deadline: float) -> tuple[float, float, int]:
        with self._lock:
            now = self._clock()
            slot = max(now, self._next_slot)
            if slot > deadline:
                raise BudgetExhausted(
                    f"the request budget is used up for the next {slot - now:.1f} seconds; "
                    "raise FACE_MAX_TPS where the resource allows it",
                    wait=slot - now,
                )
            self._next_slot = slot + 1 / self._pace
            return slot, slot - now, self._refusals
