"""A table that stamps its rows, and processes whose clocks and sleep are the test's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.budget.budget import Budget
from shared.budget.machine import Machine
from shared.budget.store import BudgetStore
from tests.support.doubles.stamped_table import StampedTable

HOST = "my.cognitiveservices.azure.com"


@dataclass
class Time:
    """Seconds that pass when somebody sleeps, or the test says so."""

    now: float = 1_795_000_000.0
    sleeps: list[float] = field(default_factory=list)
    during_sleep: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds / 2
        self.during_sleep()
        self.now += seconds / 2


@dataclass
class App:
    """The processes of an app, and what they share."""

    time: Time
    table: StampedTable

    def machine(self, *, ahead: float = 0.0) -> Machine:
        """Return a machine whose clock is ahead of the storage's by so many seconds."""
        return Machine(
            monotonic=lambda: self.time.now - 1_000,
            wall=lambda: self.time.now + ahead,
            sleep=self.time.sleep,
            jitter=lambda: 0.5,
        )

    def budget(self, max_tps: float = 10 / 0.95, *, ahead: float = 0.0) -> Budget:
        """Return the budget of one more process; it gives out 10 slots a second unless told otherwise."""
        store = BudgetStore(cast("Any", self.table), HOST)
        return Budget(store, max_tps=max_tps, poll_worth=1.0, machine=self.machine(ahead=ahead))

    def store(self) -> BudgetStore:
        """Return what reads and writes the row."""
        return BudgetStore(cast("Any", self.table), HOST)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def app(time: Time) -> App:
    return App(time, StampedTable(time))
