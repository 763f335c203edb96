"""A step takes its slots as the budget has them."""

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from shared.face.models import GroupKind
from shared.training.decide import Policy
from shared.training.messages import Group, Message
from shared.training.record import Last
from shared.training.schedule import Bounds
from tests.support.doubles.budget import ModelBudget
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ModelService
from tests.support.doubles.table import InMemoryTable
from tests.support.watching import Jobs, watch_jobs

if TYPE_CHECKING:
    from shared.face.client import FaceClient

GROUP = Group(GroupKind.LARGE_PERSON_GROUP, "group")


class Priced(ModelBudget):
    """A budget that is short: each poll is worth so many seconds of lateness."""

    worth = 100.0

    def price(self) -> float:
        return self.worth


class Stage:
    """One process on doubles, with a group whose training has just begun."""

    def __init__(self, budget: ModelBudget, clock: VirtualClock) -> None:
        self.clock = clock
        self.queue = InMemoryQueue(clock)
        self.service = ModelService(clock)
        self.service.begin("group", seconds=600)
        self.jobs: Jobs = watch_jobs(
            face=cast("FaceClient", self.service),
            budget=budget,
            table=InMemoryTable(clock),
            queue=self.queue,
            results=InMemoryQueue(clock),
            policy=Policy(Bounds(1, 60), worth=1, timeout=21_600, grace=60),
            jitter=lambda: 0.0,
            monotonic=lambda: 0.0,
            sleep=clock.advance,
        )

    def request(self) -> float:
        """Send a request, and return the seconds until its follow-up."""
        self.jobs.watcher.handle(Message("message-1", self.clock(), b"group"))
        (follow_up,) = self.queue.messages
        assert follow_up.next_visible_on is not None
        return (follow_up.next_visible_on - self.clock()).total_seconds()

    @property
    def polls(self) -> int:
        return self.jobs.store.read(GROUP).watch.polls


def test_a_new_watch_is_polled_at_once_while_the_budget_is_not_short() -> None:
    clock = VirtualClock()
    stage = Stage(ModelBudget(clock), clock)
    stage.request()
    assert stage.polls == 1


def test_a_new_watch_waits_for_its_first_poll_while_the_budget_is_short() -> None:
    clock = VirtualClock()
    stage = Stage(Priced(clock), clock)
    assert stage.request() > 3
    assert stage.polls == 0
    record = stage.jobs.store.read(GROUP)
    assert (record.watch.live, record.watch.last) == (True, Last.NO_ANSWER)
    assert len(record.open) == 1


@pytest.mark.parametrize(("seconds_away", "delay"), [(3.9, 3), (100.6, 100)])
def test_a_follow_up_comes_before_its_slot(seconds_away: float, delay: int) -> None:
    clock = VirtualClock()
    stage = Stage(ModelBudget(clock, lambda: seconds_away), clock)
    assert stage.request() == delay
    watch = stage.jobs.store.read(GROUP).watch
    assert (stage.polls, watch.paid_calls) == (0, 1)
    assert watch.slot == clock() + timedelta(seconds=seconds_away)
