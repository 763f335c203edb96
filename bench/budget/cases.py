"""What a budget promises to single callers, simulated: to those told to wait, and to polls beside a snapshot."""

import math
from functools import partial

import msgspec

from bench.budget.stage import Stage
from shared.budget.budget import Budget
from shared.budget.bulk import BulkSlots
from shared.budget.row import Slot

GROUPS = 7
SNAPSHOT_WORKERS = 24
PAGE_SECONDS = 1.0
"""What the service takes for a page, beside the time of any call."""
POLLS_A_SECOND = 2.0
_INSTANCES = 4
_PATIENCE_SECONDS = 5.0


class Told(msgspec.Struct, frozen=True):
    """When groups that were all told to wait were called again, in seconds."""

    asked: float  # by the service
    earliest: float
    latest: float


class Beside(msgspec.Struct, frozen=True):
    """How polls fared while a snapshot took all that they left."""

    longest_wait: float  # of a poll for its slot, in seconds
    mean_wait: float
    used_share: float  # of FACE_MAX_TPS
    throttled_share: float


def told_to_wait(asked: float, *, max_tps: float, seed: int) -> Told:
    """Have the service throttle the first call of each of seven groups, and return when the second ones came."""
    stage = Stage(instances=_INSTANCES, max_tps=max_tps, seed=seed)
    gaps: list[float] = []

    def watch(budget: Budget) -> None:
        budget.throttled(_call(stage, budget), asked)
        told_at = stage.simulation.now
        stage.simulation.sleep(math.ceil(asked * stage.random.uniform(1, 1.1)))
        _call(stage, budget)
        gaps.append(stage.simulation.now - told_at)

    for number in range(GROUPS):
        stage.simulation.start(partial(watch, stage.budgets[number % _INSTANCES]))
    stage.simulation.run(600)
    return Told(asked, min(gaps), max(gaps))


def beside_a_snapshot(seconds: float, *, seed: int) -> Beside:
    """Poll at random moments from all instances while one of them lists with many workers."""
    stage = Stage(instances=_INSTANCES, max_tps=10.0, seed=seed)
    bulk = BulkSlots(stage.budgets[0], stage.machines[0])
    waits: list[float] = []

    def list_pages() -> None:
        while True:
            if bulk.take(_PATIENCE_SECONDS) is not None:
                stage.service.call("ours")
                stage.simulation.sleep(PAGE_SECONDS)

    def poll() -> None:
        asked_at = stage.simulation.now
        budget = stage.random.choice(stage.budgets)
        budget.wait(budget.take())
        waits.append(stage.simulation.now - asked_at)
        stage.service.call("ours")

    def poll_for_ever() -> None:
        while True:
            stage.simulation.sleep(stage.random.expovariate(POLLS_A_SECOND))
            stage.simulation.start(poll)

    for _ in range(SNAPSHOT_WORKERS):
        stage.simulation.start(list_pages)
    stage.simulation.start(poll_for_ever)
    stage.simulation.run(seconds)
    return Beside(
        longest_wait=max(waits),
        mean_wait=sum(waits) / len(waits),
        used_share=stage.service.calls["ours"] / seconds / stage.max_tps,
        throttled_share=stage.service.throttled_share("ours"),
    )


def _call(stage: Stage, budget: Budget) -> Slot:
    slot = budget.take()
    while not budget.wait(slot):
        stage.simulation.sleep(math.floor(budget.seconds_until(slot)))
    stage.service.call("ours")
    return slot
