"""The parts that a simulated app runs on: instances whose clocks are wrong, a table, and a service with a limit."""

import math
from random import Random
from typing import Any, cast

from bench.budget.simulation import Simulation
from local.face_emulator.limit import TokenBucket
from shared.budget.budget import Budget
from shared.budget.machine import Machine
from shared.budget.store import BudgetStore
from tests.support.doubles.stamped_table import StampedTable

LIMIT = 10.0
"""Calls a second that the service allows: those of an S0 resource."""
CLOCK_ERROR_SECONDS = 0.2
TABLE_SECONDS = 0.02
"""What an operation of Azure Table storage takes within a region."""
CALL_SECONDS = 0.1


class Service:
    """A Face resource that counts whose calls it throttles."""

    def __init__(self, simulation: Simulation, random: Random) -> None:
        self._simulation = simulation
        self._random = random
        self._bucket = TokenBucket(LIMIT)
        self.calls: dict[str, int] = {}
        self.throttled: dict[str, int] = {}

    def call(self, caller: str) -> float | None:
        """Return None, or the seconds to wait where the call is throttled."""
        latency = CALL_SECONDS * self._random.lognormvariate(0, 0.5)
        self._simulation.sleep(latency / 2)
        wait = self._bucket.take(self._simulation.now)
        self.calls[caller] = self.calls.get(caller, 0) + 1
        self.throttled[caller] = self.throttled.get(caller, 0) + (wait > 0)
        self._simulation.sleep(latency / 2)
        return math.ceil(wait) if wait > 0 else None

    def throttled_share(self, caller: str) -> float:
        """Return the share of a caller's calls that was throttled."""
        return self.throttled.get(caller, 0) / max(1, self.calls.get(caller, 0))


class Stage:
    """Instances of the app that share a row, and a service."""

    def __init__(self, *, instances: int, max_tps: float, seed: int) -> None:
        self.simulation = Simulation()
        self.random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
        self.service = Service(self.simulation, self.random)
        self.table = StampedTable(self.simulation.time, before=self._half_an_operation, after=self._half_an_operation)
        self.max_tps = max_tps
        self.machines = [self._machine() for _ in range(instances)]
        self.budgets = [self._budget(machine) for machine in self.machines]

    def foreign_client(self, calls_a_second: float) -> None:
        """Let another program call the service at random moments, without regard to what it says."""

        def call_for_ever() -> None:
            while True:
                self.simulation.sleep(self.random.expovariate(calls_a_second))
                self.simulation.start(lambda: self.service.call("foreign"))

        self.simulation.start(call_for_ever)

    def _half_an_operation(self) -> None:
        self.simulation.sleep(TABLE_SECONDS / 2 * self.random.uniform(0.5, 1.5))

    def _machine(self) -> Machine:
        error = self.random.uniform(-CLOCK_ERROR_SECONDS, CLOCK_ERROR_SECONDS)
        return Machine(
            monotonic=self.simulation.time,
            wall=lambda: self.simulation.time() + error,
            sleep=self.simulation.sleep,
            lock=self.simulation.lock,
            jitter=self.random.random,
        )

    def _budget(self, machine: Machine) -> Budget:
        store = BudgetStore(cast("Any", self.table), "simulated")
        return Budget(store, max_tps=self.max_tps, poll_worth=1.0, machine=machine)
