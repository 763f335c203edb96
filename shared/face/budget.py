"""Keep all calls to the service within its requests per second."""

import time
from collections.abc import Callable
from threading import Lock

from shared.face.errors import BudgetExhausted


class RequestBudget:
    """Pace the calls of all threads to ``per_second``, evenly, so that no second sees a burst.

    ``clock`` returns seconds that only grow; ``sleep`` waits for some.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._next_slot = clock()

    def wait_for_slot(self, patience: float) -> None:
        """Return when the next call may be made.

        Raises:
            BudgetExhausted: at once, where that would take more than ``patience`` seconds; no slot is then taken.
        """
        with self._lock:
            now = self._clock()
            slot = max(now, self._next_slot)
            wait = slot - now
            if wait > patience:
                raise BudgetExhausted(
                    f"the request budget is used up for the next {wait:.1f} seconds; "
                    "raise FACE_MAX_TPS where the resource allows it",
                    wait=wait,
                )
            self._next_slot = slot + self._interval
        if wait > 0:
            self._sleep(wait)
