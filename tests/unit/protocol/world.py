"""Run the real code on doubles, under a schedule that says what goes wrong and when."""

import json
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage

from shared.face.models import GroupKind
from shared.training.decide import Policy
from shared.training.messages import Group, Message
from shared.training.schedule import Bounds
from shared.training.store import LostRace
from tests.support.doubles.budget import ModelBudget
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ModelService, ModelTraining
from tests.support.doubles.table import InMemoryTable
from tests.support.watching import Jobs, watch_jobs
from tests.unit.protocol.actors import Actor, current_actor, let_others_go_first, run_at_once
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.faults import HOSTS_DELETE, Died, Fault
from tests.unit.protocol.moments import Moments
from tests.unit.protocol.outside import Outside, learn, make_call
from tests.unit.protocol.results import Results
from tests.unit.protocol.state import state_of

GROUP = "group"
KIND = GroupKind.LARGE_PERSON_GROUP
LEASE_SECONDS = 600
RETRY_SECONDS = 30
MAX_DEQUEUE_COUNT = 5
OVERDUE_SECONDS = 120
SKEW_SECONDS = 0.07
"""How far apart the clocks of those are that run at once, so that what one writes is never what another writes."""
MAX_EVENTS = 400
"""A world that has more to do than this does not come to rest."""
POLICY = Policy(Bounds(1, 60), worth=1, timeout=3600, grace=60)

_FAILURES = (Died, AzureError, LostRace, RuntimeError)
"""What may come out of the code; all else is a defect."""


@dataclass(frozen=True)
class Asked:
    """A request that was enqueued."""

    group_id: str
    train: bool
    trained_after: datetime | None
    enqueued: datetime
    standing: ModelTraining | None  # the group's newest training then


@dataclass
class World:
    """Everything that one schedule acts on.

    ``faults`` and ``disturbances`` are spent, each at a call that the schedule chooses. ``later_slots`` are slots that
    are given 30 seconds late, where the schedule wants it. ``with_timer`` lets the timer run each minute. While
    ``outage`` is one of the doubles, all calls to it fail. ``ahead`` is by how many seconds the clocks of those that
    handle messages are ahead, and that of the timer behind.
    """

    schedule: Schedule
    faults: int = 0
    disturbances: list[Callable[["World"], None]] = field(default_factory=list)
    disturb_before: str | None = None  # the only call at which the world is disturbed; else any
    later_slots: int = 0
    with_timer: bool = True
    ahead: float = 0.0
    policy: Policy = POLICY
    outage: object = None
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.table = InMemoryTable(self.clock)
        self.queue = InMemoryQueue(self.clock, "watch")
        self.poison_queue = InMemoryQueue(self.clock, "poison")
        self.results = Results()
        self.service = ModelService(self.clock)
        self.requests: dict[str, Asked] = {}
        self.cancelled: set[str] = set()
        self.planted: set[str] = set()  # requests whose rows somebody has spoiled
        self.spent: list[Fault] = []
        self.moments = Moments(self)
        self.handlers, self.timer = self.process(self.ahead), self.process(-self.ahead)

    # What users and the world around do.

    def enqueue(self, *, train: bool = False, trained_after: datetime | None = None, group_id: str = GROUP) -> str:
        """Enqueue a request; return its ID."""
        after = None if trained_after is None else trained_after.isoformat()
        body = group_id if after is None and not train else self._body(group_id, train=train, trainedAfter=after)
        request_id = received(self.queue.send_message(body)).request_id
        self.requests[request_id] = Asked(group_id, train, trained_after, self.clock(), self.service.standing(group_id))
        return request_id

    def purge(self) -> None:
        """Clear the queue, as an operator may at any time."""
        self.queue.clear_messages()

    def cancel(self, request_id: str, process: Jobs | None = None) -> None:
        """Cancel a request, as somebody may at any time who gives up where it fails."""
        self.cancelled.add(request_id)
        with suppress(*_FAILURES):
            (process or self.process()).canceller.cancel(Group(KIND, GROUP), request_id)
        self._look_for_broken_promises()

    @staticmethod
    def _body(group_id: str, **fields: object) -> str:
        return json.dumps({"groupId": group_id, **fields})

    # What the host does.

    def process(self, ahead: float = 0.0) -> Jobs:
        """Return the jobs of a process whose clock is ahead by so many seconds."""
        budget = ModelBudget(lambda: self._read_clock(ahead), self._seconds_to_slot)
        return watch_jobs(
            face=cast("Any", Outside(self.service, self)),
            budget=budget,
            table=Outside(self.table, self),
            queue=Outside(self.queue, self),
            results=Outside(self.results, self),
            policy=self.policy,
            jitter=lambda: 0.5,
            monotonic=lambda: self._read_clock(ahead).timestamp(),
            sleep=self._begin_again,
        )

    def receive(self) -> QueueMessage:
        """Wait for the next message to be visible, and take it with a lease."""
        waiting = self.queue.messages
        assert waiting, "there is no message to receive"
        assert waiting[0].next_visible_on is not None
        self.clock.advance_to(waiting[0].next_visible_on)
        message = self.queue.receive_message(visibility_timeout=LEASE_SECONDS)
        assert message is not None
        return message

    def deliver(self, message: QueueMessage, process: Jobs | None = None) -> None:
        """Call the function with a message that was received, and do with it what the host does then."""
        self.clock.advance(0.01)
        handlers = process or self.handlers
        self.moments.begin(received(message))
        try:
            if (message.dequeue_count or 0) > MAX_DEQUEUE_COUNT:
                self._poison(message)
                return
            try:
                handlers.watcher.handle(received(message))
            except (AzureError, LostRace, RuntimeError):
                self._give_back(message)
            else:
                done = partial(self.queue.delete_message, message.id, message.pop_receipt)
                make_call(self, self.queue, HOSTS_DELETE, done)
        except (Died, AzureError):
            return  # the lease runs out
        finally:
            self._look_for_broken_promises()

    def deliver_poisoned(self, message: QueueMessage) -> None:
        """Call the poison function; a message that fails there stays until its lease runs out."""
        with suppress(*_FAILURES):
            self.handlers.poison_handler.handle(received(message))
            self.poison_queue.delete_message(message.id, message.pop_receipt)

    def deliver_next(self, process: Jobs) -> None:
        """Call the function with the next message, once one has been sent."""
        while not self.queue.messages:
            let_others_go_first()
        self.deliver(self.receive(), process)

    def run_timer(self, process: Jobs | None = None) -> None:
        """Run the timer once."""
        with suppress(*_FAILURES):
            (process or self.timer).caretaker.run()
        self._look_for_broken_promises()

    def late_timer(self, process: Jobs) -> None:
        """Run the timer once an index row is overdue."""
        while (due := self._timer_is_due()) is None or due > self.clock() + timedelta(minutes=1):
            let_others_go_first()
        self.run_timer(process)

    def at_once(self, *works: Callable[[Jobs], None], processes: Sequence[Jobs] | None = None) -> None:
        """Run several at once, each in a process of its own but where ``processes`` are given.

        Two under every schedule; more, or where something can go wrong as well, with two preemptions at most.
        """
        jobs = processes or [self.process(self.ahead + SKEW_SECONDS * number) for number in range(len(works))]
        actors = [
            Actor(f"{number}", partial(work, process))
            for number, (work, process) in enumerate(zip(works, jobs, strict=True))
        ]
        run_at_once(actors, self.schedule, self.state, preemptions=2 if self.faults or len(works) > 2 else None)
        self.moments.raise_what_broke()

    def _look_for_broken_promises(self) -> None:
        if current_actor() is None:
            self.moments.raise_what_broke()

    def come_to_rest(self, until: datetime | None = None) -> None:
        """Let time pass until nothing is left to do: deliver what becomes visible, and run the timer when it is due."""
        for _ in range(MAX_EVENTS):
            self.schedule.reach(self.state)
            due = self._next_event()
            if due is None or (until is not None and due[0] > until):
                if until is not None:
                    self.clock.advance_to(until)
                return
            self.clock.advance_to(due[0])
            due[1]()
        raise AssertionError("the world does not come to rest")

    def _next_event(self) -> tuple[datetime, Callable[[], None]] | None:
        events: list[tuple[datetime, Callable[[], None]]] = []
        waiting = self.queue.messages
        if waiting:
            events.append((cast("datetime", waiting[0].next_visible_on), lambda: self.deliver(self.receive())))
        for message in self.poison_queue.messages:
            if (message.dequeue_count or 0) < MAX_DEQUEUE_COUNT:
                events.append((cast("datetime", message.next_visible_on), self._take_poisoned))
                break
        if self.with_timer and (due := self._timer_is_due()) is not None:
            events.append((due, self.run_timer))
        return min(events, key=lambda event: event[0]) if events else None

    def _take_poisoned(self) -> None:
        message = self.poison_queue.receive_message(visibility_timeout=LEASE_SECONDS)
        assert message is not None
        self.deliver_poisoned(message)

    def _timer_is_due(self) -> datetime | None:
        due = [
            datetime.fromisoformat(row["nextPollAt"].isoformat())  # the client's own class of times stays out
            for row, _ in self.table.rows
            if row["PartitionKey"] == "live" and isinstance(row.get("nextPollAt"), datetime)
        ]
        if not due:
            return None
        # A little more than two minutes by a clock that may be behind.
        overdue = min(due) + timedelta(seconds=OVERDUE_SECONDS + abs(self.ahead) + 1)
        return max(overdue, self.clock()).replace(second=0, microsecond=0) + timedelta(minutes=1)

    def _give_back(self, message: QueueMessage) -> None:
        with suppress(HttpResponseError):
            if (message.dequeue_count or 0) < MAX_DEQUEUE_COUNT:
                receipt = message.pop_receipt or ""
                self.queue.update_message(message.id, receipt, visibility_timeout=RETRY_SECONDS)
            else:
                self._poison(message)

    def _poison(self, message: QueueMessage) -> None:
        copy = self.poison_queue.send_message(message.content)
        with suppress(HttpResponseError):
            self.queue.delete_message(message.id, message.pop_receipt)
        self.moments.poisoned(received(message).request_id, copy.id)

    def told_training(self, request_id: str) -> ModelTraining:
        """Return the training whose end a request was told."""
        created = datetime.fromisoformat(self.results.event(request_id)["data"]["training"]["createdDateTime"])
        trainings = self.service.trainings[self.requests[request_id].group_id]
        (training,) = [each for each in trainings if to_millisecond(each.created) == created]
        return training

    def _begin_again(self, _: float) -> None:
        actor = current_actor()
        if actor is not None:
            actor.forget()

    def _read_clock(self, ahead: float) -> datetime:
        now = self.clock() + timedelta(seconds=ahead)
        learn(self, now)
        return now

    def _seconds_to_slot(self) -> float:
        if not self.later_slots or not self.schedule.choose(2):
            return 0.0
        self.later_slots -= 1
        learn(self, "later slot")
        return 30.0

    def state(self, actors: Sequence[Actor] = ()) -> Hashable:
        """Return all that the future depends on."""
        return state_of(self, actors)


def received(message: QueueMessage) -> Message:
    """Return a message as the host hands it over."""
    assert message.inserted_on is not None
    return Message(
        message.id, message.inserted_on.astimezone(UTC), message.content.encode(), message.dequeue_count or 1
    )


def to_millisecond(moment: datetime) -> datetime:
    """Return a moment as the service tells it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
