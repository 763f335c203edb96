"""What the budget needs of the machine that it runs on, and the storage's time there."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock


@dataclass(frozen=True)
class Machine:
    """A machine's clocks, sleep, locks and lots; a simulation has others."""

    monotonic: Callable[[], float] = time.monotonic  # seconds that only grow
    wall: Callable[[], float] = time.time  # seconds since 1970, as the machine believes
    sleep: Callable[[float], None] = time.sleep
    lock: Callable[[], AbstractContextManager[object]] = Lock
    jitter: Callable[[], float] = random.random  # from 0 to 1


THIS_MACHINE = Machine()


class StorageClock:
    """The storage's time: the machine's own clock, set right by each write that the storage stamps."""

    def __init__(self, machine: Machine) -> None:
        self._monotonic = machine.monotonic
        self._offset = machine.wall() - machine.monotonic()

    def now(self) -> datetime:
        """Return the storage's time, UTC."""
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)

    def learn(self, stamp: datetime, sent: float, received: float) -> None:
        """Set the clock by a write that the storage stamped between ``sent`` and ``received`` (monotonic seconds).

        The clock is moved no further than the write proves, so a slow answer cannot set a good clock wrong.
        """
        earliest, latest = stamp.timestamp() - received, stamp.timestamp() - sent
        self._offset = min(max(self._offset, earliest), latest)
