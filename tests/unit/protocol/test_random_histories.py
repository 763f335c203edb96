"""Hold random histories of requests, steps, crashes, purges, cancels, timers and trainings to the promise."""

from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.faults import Fault
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.record_of import record_of
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World

pytestmark = pytest.mark.exhaustive


class Fate(Schedule):
    """Let one fault happen, after so many calls."""

    def __init__(self, calls: int = 0, fault: int = 0) -> None:
        super().__init__()
        self.calls, self.fault = calls, fault

    def choose(self, options: int) -> int:
        self.calls -= 1
        return self.fault % options if self.calls == 0 else 0

    def reach(self, state: object) -> None:
        """Merge nothing: each history is run whole."""


class Histories(RuleBasedStateMachine):
    """Hold the world to the promise, whatever happened."""

    @initialize(exists=st.booleans(), trained=st.booleans())
    def begin(self, exists: bool, trained: bool) -> None:
        self.world = World(Fate())
        if exists:
            self.world.service.add_group(GROUP)
        if exists and trained:
            self.world.service.begin(GROUP)

    @rule(train=st.booleans(), fresh=st.booleans())
    def enqueue(self, train: bool, fresh: bool) -> None:
        self.world.clock.advance(1)
        self.world.enqueue(train=train, trained_after=self.world.clock() if fresh else None)

    @rule(seconds=st.sampled_from([0, 3, 90, 700]), message=st.sampled_from([None, "too few faces"]))
    def somebody_trains(self, seconds: float, message: str | None) -> None:
        self.world.clock.advance(1)
        standing = self.world.service.standing(GROUP)
        if standing is None or standing.ends <= self.world.clock():
            self.world.service.begin(GROUP, seconds, message)

    @rule(seconds=st.sampled_from([1, 30, 130, 700]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.world.queue.messages)
    @rule(calls=st.integers(0, 15), fault=st.integers(1, len(Fault)))
    def step(self, calls: int, fault: int) -> None:
        self.with_fate(calls, fault)
        self.world.deliver(self.world.receive())
        self.with_fate(0, 0)

    @precondition(lambda self: self.world.queue.messages)
    @rule(turn=st.integers(1, 15))
    def redelivery_at_once(self, turn: int) -> None:
        first = self.world.receive()
        self.world.clock.advance(LEASE_SECONDS)
        second = self.world.receive()
        self.world.schedule = Fate(turn, 1)
        self.world.at_once(partial(self.world.deliver, first), partial(self.world.deliver, second))

    @precondition(lambda self: self.world.requests)
    @rule(number=st.integers(0, 5))
    def cancel(self, number: int) -> None:
        requests = list(self.world.requests)
        self.world.cancel(requests[number % len(requests)])

    @rule(calls=st.integers(0, 9), fault=st.integers(1, len(Fault)))
    def timer(self, calls: int, fault: int) -> None:
        self.with_fate(calls, fault)
        self.world.run_timer()
        self.with_fate(0, 0)

    @precondition(lambda self: self.world.queue.messages)
    @rule(part=st.sampled_from(["table", "queue", "results"]))
    def storage_fails_until_poisoned(self, part: str) -> None:
        self.world.outage = getattr(self.world, part)
        before = len(self.world.poison_queue.messages)
        for _ in range(40):
            if not self.world.queue.messages or len(self.world.poison_queue.messages) > before:
                break
            self.world.deliver(self.world.receive())
        self.world.outage = None

    @rule()
    def purge(self) -> None:
        self.world.purge()
        # What was purged before it was ever handled is not known to the app.
        groups = record_of(self.world.table).groups.values()
        on_record = {each for group in groups for requests in group.requests.values() for each in requests}
        known = on_record | self.world.moments.copies.keys() | self.world.results.events.keys()
        self.world.requests = {each: asked for each, asked in self.world.requests.items() if each in known}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.come_to_rest()
            check_promise(self.world)

    def with_fate(self, calls: int, fault: int) -> None:
        self.world.schedule = Fate(calls, fault)
        self.world.faults = 1 if fault else 0


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
