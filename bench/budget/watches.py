"""Many watches on many instances, simulated: each takes its slots as a watch of the app does."""

import heapq
import math
from dataclasses import dataclass
from itertools import count

import msgspec

from bench.budget.simulation import START
from bench.budget.stage import TABLE_SECONDS, Stage
from shared.budget.budget import Budget
from shared.budget.row import Slot

HANDLERS = 16
"""Messages that the host hands to one instance at once (``batchSize``)."""
PICK_UP_SECONDS = 0.3
"""The longest that the host leaves a visible message in a busy queue."""
HAZARD = 1 / 1_800
"""A training's hazard, a second: a poll each minute is the best schedule where a poll is worth a second."""
MAX_DELAY_SECONDS = 60.0
MAX_SPREAD_SECONDS = 6.0
"""Delays are spread by a tenth, but no further: the line itself keeps groups apart, and more makes it uneven."""
_TIMER_SECONDS = 60.0


class Result(msgspec.Struct, frozen=True):
    """What came of the watches of one app."""

    throttled_share: float
    used_share: float  # of FACE_MAX_TPS
    messages_a_poll: float
    fair_round: float  # seconds in which the calls that were made serve each watch once
    longest_unpolled: float  # in fair rounds
    foreign_throttled_share: float | None
    lost_races_a_call: float
    table_operations_a_call: float


@dataclass
class Watch:
    """One chain of polls."""

    polled_at: float = START
    slot: Slot | None = None
    longest: float = 0.0


class Watches:
    """Watch for ever: no training ends, so each watch is as good as another."""

    def __init__(self, stage: Stage, watches: int, *, priced: bool) -> None:
        self._stage = stage
        self._simulation = stage.simulation
        self._watches = [Watch() for _ in range(watches)]
        self._numbers = count()
        self._queue = [(START, next(self._numbers), watch) for watch in self._watches]
        self._busy = [0] * len(stage.budgets)
        self.handled = self.polls = 0
        self._simulation.start(self._host)
        if priced:
            self._simulation.start(self._timer)

    def run(self, seconds: float) -> Result:
        """Watch for so many seconds."""
        self._simulation.run(seconds)
        service, table = self._stage.service, self._stage.table
        calls = service.calls["ours"]
        fair_round = len(self._watches) * seconds / calls
        longest = max(max(watch.longest, self._simulation.now - watch.polled_at) for watch in self._watches)
        return Result(
            throttled_share=service.throttled_share("ours"),
            used_share=calls / seconds / self._stage.max_tps,
            messages_a_poll=self.handled / self.polls,
            fair_round=fair_round,
            longest_unpolled=longest / fair_round,
            foreign_throttled_share=service.throttled_share("foreign") if "foreign" in service.calls else None,
            lost_races_a_call=table.lost_races / calls,
            table_operations_a_call=(table.reads + table.writes + table.lost_races) / calls,
        )

    def _host(self) -> None:
        while True:
            if not self._queue or self._queue[0][0] > self._simulation.now:
                self._simulation.sleep(self._stage.random.uniform(0, PICK_UP_SECONDS))
                continue
            free = [number for number, busy in enumerate(self._busy) if busy < HANDLERS]
            if not free:
                self._simulation.sleep(TABLE_SECONDS)
                continue
            _, _, watch = heapq.heappop(self._queue)
            self._begin(self._stage.random.choice(free), watch)

    def _begin(self, instance: int, watch: Watch) -> None:
        def handle() -> None:
            self._handle(self._stage.budgets[instance], watch)
            self._busy[instance] -= 1

        self._busy[instance] += 1
        self._simulation.start(handle)

    def _handle(self, budget: Budget, watch: Watch) -> None:
        self.handled += 1
        self._simulation.sleep(TABLE_SECONDS)  # read the group
        slot = watch.slot = budget.take(watch.slot)
        if not budget.wait(slot):
            self._put_off(watch, math.floor(budget.seconds_until(slot)))
            return
        wait = self._stage.service.call("ours")
        watch.slot = None
        if wait is None:
            self._note_poll(watch)
            delay = min(math.sqrt(2 * budget.price() / HAZARD), MAX_DELAY_SECONDS * math.sqrt(budget.price()))
        else:
            budget.throttled(slot, wait)
            delay = wait
        watch.slot = budget.take_ahead(delay)
        if watch.slot is not None:
            self._put_off(watch, math.floor(budget.seconds_until(watch.slot)))
        else:
            self._put_off(watch, math.ceil(delay + self._stage.random.uniform(0, min(0.1 * delay, MAX_SPREAD_SECONDS))))

    def _note_poll(self, watch: Watch) -> None:
        self.polls += 1
        watch.longest = max(watch.longest, self._simulation.now - watch.polled_at)
        watch.polled_at = self._simulation.now

    def _put_off(self, watch: Watch, seconds: int) -> None:
        self._simulation.sleep(2 * TABLE_SECONDS)  # send the follow-up, commit
        heapq.heappush(self._queue, (self._simulation.now + seconds, next(self._numbers), watch))

    def _timer(self) -> None:
        while True:
            self._stage.budgets[0].publish_price(len(self._watches) * math.sqrt(HAZARD / 2))
            self._simulation.sleep(_TIMER_SECONDS)
