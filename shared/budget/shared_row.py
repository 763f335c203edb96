"""The row as one process changes it: in turn with all others, or alone while the table cannot be reached."""

import logging
import math
from collections.abc import Callable
from datetime import datetime

from azure.core.exceptions import AzureError

from shared.budget.machine import Machine, StorageClock
from shared.budget.row import GIVEN_OUT, BudgetRow
from shared.budget.store import BudgetStore, LostRace, Stored, stamp_of

FRESH_SECONDS = 0.5
"""A copy of the row that is no older holds for a call that is about to be made."""
CONTENDED_SECONDS = 5.0
"""After another process was quicker, the row is read before it is written for so long."""
ALONE_SECONDS = 15.0
"""After the table could not be reached, a process goes on alone for so long before it tries again."""
ALONE_SHARE = 0.25
"""The share of the budget that a process takes that goes on alone."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 0.25
_MAX_RACES = 200

log = logging.getLogger(__name__)

type Decide[T] = Callable[[BudgetRow, datetime, float], tuple[BudgetRow, T]]
"""Return the row as it shall be, and a result, for the row as it is, the storage's time, and the full pace."""


class SharedRow:
    """Read and change the row; shared by threads. Nothing raises where the table cannot be reached."""

    def __init__(self, store: BudgetStore, machine: Machine, *, max_tps: float) -> None:
        self.clock = StorageClock(machine)
        self._store = store
        self._machine = machine
        self.pace = GIVEN_OUT * max_tps
        self._one_change = machine.lock()
        self._one_read = machine.lock()
        self._copy = Stored(BudgetRow(next_turn=self.clock.now()), None)
        self._copied_at = -math.inf
        self._read_first_until = -math.inf
        self._alone_until = -math.inf

    def change[T](self, decide: Decide[T]) -> T:
        """Change the row as ``decide`` says, which is asked again after each lost race; return its result."""
        with self._one_change:
            if not self._alone:
                try:
                    return self._change_in_turn(decide)
                except AzureError as error:
                    self._go_alone(type(error).__name__)
                except LostRace:
                    self._go_alone(f"{_MAX_RACES} lost races")
            row, result = decide(self._copy.row, self.clock.now(), self.pace * ALONE_SHARE)
            self._keep(Stored(row, None), self._machine.monotonic())
            return result

    def read(self, fresh: float = FRESH_SECONDS) -> BudgetRow:
        """Return the row as it was at most ``fresh`` seconds ago, or, while alone, as this process has it."""
        if self._is_old(fresh):
            with self._one_read:  # not the other lock: a call that is due must not wait for others' lost races
                if self._is_old(fresh):  # nobody has read it while this thread waited
                    sent = self._machine.monotonic()
                    try:
                        self._keep(self._store.read(self.clock.now()), sent)
                    except AzureError as error:
                        self._go_alone(type(error).__name__)
        return self._copy.row

    @property
    def _alone(self) -> bool:
        return self._machine.monotonic() < self._alone_until

    def _is_old(self, fresh: float) -> bool:
        return not self._alone and self._machine.monotonic() - self._copied_at > fresh

    def _keep(self, stored: Stored, sent: float) -> None:
        if sent >= self._copied_at:  # else a slow read would bring back what a write has changed since
            self._copy, self._copied_at = stored, sent

    def _change_in_turn[T](self, decide: Decide[T]) -> T:
        # The write on its ETag proves that the copy is still the row, so a process that is alone with it need not read.
        copy = self._copy
        copied = copy.etag is not None and self._machine.monotonic() >= self._read_first_until
        for race in range(_MAX_RACES):
            sent = self._machine.monotonic()
            stored = copy if copied else self._store.read(self.clock.now())
            row, result = decide(stored.row, self.clock.now(), self.pace)
            if row is not stored.row:
                sent = self._machine.monotonic()
                try:
                    stored = Stored(row, self._store.write(row, stored.etag))
                except LostRace:
                    if copied:
                        self._read_first_until = sent + CONTENDED_SECONDS
                    else:
                        self._pause(race)
                    copied = False
                    continue
                self._learn(stored.etag, sent)
            elif copied:
                copied = False  # nothing proves that the copy is still the row
                continue
            self._keep(stored, sent)
            return result
        raise LostRace

    def _pause(self, race: int) -> None:
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**race)
        self._machine.sleep(pause * self._machine.jitter())

    def _learn(self, etag: str | None, sent: float) -> None:
        if etag and (stamp := stamp_of(etag)):
            self.clock.learn(stamp, sent, self._machine.monotonic())

    def _go_alone(self, reason: str) -> None:
        if self._alone:
            return
        log.warning(
            "the budget's row cannot be reached (%s): this process goes on alone with a quarter of the budget "
            "and tries again in %.0f s; look whether the DataStorage account is up and grants the app its roles",
            reason,
            ALONE_SECONDS,
        )
        self._alone_until = self._machine.monotonic() + ALONE_SECONDS
