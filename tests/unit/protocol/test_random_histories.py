"""Hold random histories of requests, steps, crashes, purges, timers and trainings against a simple model."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.training.decide import Policy
from shared.training.record import Outcome
from shared.training.schedule import Bounds
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.outside_calls import Fault
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World

TIMEOUT_SECONDS = 1800
GRACE_SECONDS = 60


class Fate(Schedule):
    """Let one fault happen, after so many calls."""

    def __init__(self, calls: int = 0, fault: int = 0) -> None:
        super().__init__()
        self.calls, self.fault = calls, fault

    def choose(self, options: int) -> int:
        if options != 1 + len(Fault):
            return self.calls % options
        self.calls -= 1
        return self.fault if self.calls < 0 else 0

    def reach(self, state: object) -> None:
        """Merge nothing: each history is run whole."""


class Histories(RuleBasedStateMachine):
    """Hold the world to what a request may end with, whatever happened."""

    @initialize(exists=st.booleans(), trained=st.booleans())
    def begin(self, exists: bool, trained: bool) -> None:
        policy = Policy(Bounds(1, 60), timeout=TIMEOUT_SECONDS, grace=GRACE_SECONDS)
        self.world = World(Fate(), policy=policy)
        self.asked: dict[str, dict[str, Any]] = {}
        self.absent_or_untrained = not (exists and trained)
        if exists:
            self.world.service.add_group(GROUP)
        if exists and trained:
            self.world.service.begin(GROUP)

    @rule(train=st.booleans(), fresh=st.booleans())
    def enqueue(self, train: bool, fresh: bool) -> None:
        now = self.world.clock()
        self.world.clock.advance(1)
        body = {"groupId": GROUP, "train": train, "trainedAfter": now.isoformat() if fresh else None}
        self.asked[self.world.enqueue(json.dumps(body))] = {"train": train, "after": now if fresh else None}

    @rule(seconds=st.sampled_from([0, 3, 90, 700, 3600]), message=st.sampled_from([None, "too few faces"]))
    def somebody_trains(self, seconds: float, message: str | None) -> None:
        self.world.clock.advance(1)
        self.world.service.begin(GROUP, seconds, message)

    @rule(seconds=st.sampled_from([1, 30, 130, 700]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.world.queue.messages)
    @rule(calls=st.integers(0, 9), fault=st.integers(0, len(Fault)))
    def step(self, calls: int, fault: int) -> None:
        self.fate(calls, fault)
        self.world.deliver(self.world.receive())
        self.fate(0, 0)

    @precondition(lambda self: self.world.queue.messages)
    @rule(order=st.integers(0, 1))
    def redelivery_at_once(self, order: int) -> None:
        first = self.world.receive()
        self.world.clock.advance(LEASE_SECONDS)
        second = self.world.receive()
        self.world.schedule = Fate(order)
        self.world.at_once([partial(self.world.deliver, first), partial(self.world.deliver, second)])

    @rule(calls=st.integers(0, 9), fault=st.integers(0, len(Fault)))
    def timer(self, calls: int, fault: int) -> None:
        self.fate(calls, fault)
        self.world.run_timer()
        self.fate(0, 0)

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
        on_record = self.world.on_record()
        # What was purged before it was ever handled is not known to the app.
        self.world.requests = [watch_id for watch_id in self.world.requests if watch_id in on_record]

    @invariant()
    def nothing_is_told_in_two_ways(self) -> None:
        if hasattr(self, "world"):
            assert all(len(contents) == 1 for contents in self.world.events.values())

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.come_to_rest()
        check_promise(self.world)
        for watch_id, (content,) in self.world.events.items():
            self.check_truth(watch_id, json.loads(content))

    def fate(self, calls: int, fault: int) -> None:
        self.world.schedule = Fate(calls, fault)
        self.world.faults = 1 if fault else 0

    def check_truth(self, watch_id: str, event: dict[str, Any]) -> None:
        # A poison copy asks the same as one of those before it; which, cannot be told any more.
        data, asked = event["data"], self.asked.get(watch_id, {"train": None, "after": None})
        at = datetime.fromisoformat(event["time"])
        match Outcome(data["outcome"]):
            case Outcome.SUCCEEDED | Outcome.FAILED as outcome:
                created = datetime.fromisoformat(data["training"]["createdDateTime"])
                (told,) = [
                    each for each in self.world.service.trainings[GROUP] if to_millisecond(each.created) == created
                ]
                assert told.ends <= at + timedelta(milliseconds=1), "told before it ended"
                assert (told.message is not None) == (outcome is Outcome.FAILED)
                assert asked["after"] is None or told.created >= asked["after"], "stale"
                if asked["train"]:
                    assert told is not self.world.service.trainings[GROUP][0] or self.absent_or_untrained
            case Outcome.TIMED_OUT:
                assert data["watchedSeconds"] >= TIMEOUT_SECONDS
            case Outcome.NOT_FOUND | Outcome.NOT_TRAINED:
                assert self.absent_or_untrained
                assert data["watchedSeconds"] >= GRACE_SECONDS
            case Outcome.SUPERSEDED:
                assert data["supersededBy"] in self.world.events
            case Outcome.ABANDONED:
                assert "3 times" in data["error"]
            case Outcome.REJECTED:
                raise AssertionError("a valid request was rejected")


def to_millisecond(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
