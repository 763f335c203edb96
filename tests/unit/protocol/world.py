"""Run the real step, timer and poison code on doubles, under a schedule that says what goes wrong and when."""

import json
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

import greenlet
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.storage.queue import QueueMessage
from shared.training.report import Reporter
from shared.training.request import Message
from shared.training.resume import OVERDUE_SECONDS, Resumer

from shared.face.models import GroupKind
from shared.training.decide import Policy
from shared.training.poison import MAX_DEQUEUE_COUNT, PoisonHandler
from shared.training.schedule import Bounds
from shared.training.store import LostRace, WatchStore
from shared.training.watch import Watcher
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ModelService
from tests.support.doubles.table import InMemoryTable
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.outside_calls import Died, Fault, go_wrong, told

GROUP = "group"
LEASE_SECONDS = 600
RETRY_SECONDS = 30
CALL_SECONDS = 0.01
MOST_EVENTS = 400
"""A world that has more to do than this does not come to rest."""

_OUTSIDE_METHODS = {
    "create_entity", "get_entity", "update_entity", "delete_entity", "query_entities",
    "send_message", "delete_message",
    "training", "start_training",
}  # fmt: skip


@dataclass
class World:
    """Hold everything that one schedule acts on.

    ``faults`` and ``disturbances`` are spent, each at a call that the schedule chooses; ``with_timer`` lets the timer
    run each minute. While ``outage`` is one of the doubles, all calls to it fail.
    ``watcher_type`` is the step that is explored. ``handlers_ahead`` is by how many seconds the clocks of those that
    handle messages are ahead, and that of the timer behind.
    """

    schedule: Schedule
    faults: int = 0
    disturbances: list[Callable[["World"], None]] = field(default_factory=list)
    with_timer: bool = True
    handlers_ahead: float = 0.0
    watcher_type: type[Watcher] = Watcher
    store_type: type[WatchStore] = WatchStore
    policy: Policy = field(default_factory=lambda: Policy(Bounds(1, 60), timeout=3600, grace=60))
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.table = InMemoryTable(self.clock)
        self.queue = InMemoryQueue(self.clock, "message")
        self.poison_queue = InMemoryQueue(self.clock, "poison")
        self.results = InMemoryQueue(self.clock, "result")
        self.service = ModelService(self.clock)
        self.requests: list[str] = []
        self.outage: object = None
        # What each of those that run at once has seen of the world so far: all that its next call depends on.
        self._actors: dict[greenlet.greenlet, list[str]] = {}
        store = self.store_type(cast("Any", self._outside(self.table)))
        self.watcher = self._instance(store, self.handlers_ahead)
        timer = self._instance(store, -self.handlers_ahead)
        self.resumer = Resumer(timer, retention=timedelta(days=30))
        self.poison_handler = PoisonHandler(self.watcher, cast("Any", self._outside(self.poison_queue)))

    def _instance(self, store: WatchStore, ahead: float) -> Watcher:
        """Return the step as an instance has it whose clock is ``ahead`` by so many seconds."""
        return self.watcher_type(
            face=cast("Any", self._outside(self.service)),
            store=store,
            queue=cast("Any", self._outside(self.queue)),
            reporter=Reporter(cast("Any", self._outside(self.results))),
            policy=self.policy,
            default_kind=GroupKind.LARGE_PERSON_GROUP,
            clock=lambda: self.clock() + timedelta(seconds=ahead),
            jitter=lambda: 0.5,
        )

    # What users and the world around do.

    def enqueue(self, body: str = GROUP) -> str:
        """Enqueue a request; return the ID of the watch that it begins."""
        message = self.queue.send_message(body)
        watch_id = _received(message).watch_id
        self.requests.append(watch_id)
        return watch_id

    def purge(self) -> None:
        """Clear the queue, as an operator may at any time."""
        self.queue.clear_messages()

    def on_record(self) -> set[str]:
        """Return the IDs of all watches on record."""
        return {row["RowKey"] for row in self.table.query_entities("PartitionKey ge @any", parameters={"any": ""})}

    # What the host does.

    def receive(self) -> QueueMessage:
        """Wait for the next message to be visible, and take it with a lease."""
        waiting = self.queue.messages
        assert waiting, "there is no message to receive"
        assert waiting[0].next_visible_on is not None
        self.clock.advance_to(waiting[0].next_visible_on)
        message = self.queue.receive_message(visibility_timeout=LEASE_SECONDS)
        assert message is not None
        return message

    def deliver(self, message: QueueMessage, queue: InMemoryQueue | None = None) -> None:
        """Call the function with a message that was received, and do with it what the host does then."""
        queue = queue or self.queue
        poisoned = queue is self.poison_queue
        handle = self.poison_handler.handle if poisoned else self.watcher.handle
        try:
            try:
                handle(_received(message))
            except (AzureError, LostRace):
                self._give_back(message, queue)
            else:
                self._around(queue, "delete_message", partial(queue.delete_message, message.id, message.pop_receipt))
        except (Died, HttpResponseError, ServiceRequestError, ServiceResponseError):
            return  # the lease runs out

    def run_timer(self) -> None:
        """Run the timer once."""
        try:
            self.resumer.run()
        except (Died, AzureError, LostRace):
            return

    def at_once(self, actors: Iterable[Callable[[], None]]) -> None:
        """Run several at once; the schedule chooses whose outside call is next, each time."""
        self._scheduler = greenlet.getcurrent()
        running = [greenlet.greenlet(actor) for actor in actors]
        self._actors = {actor: [] for actor in running}
        while running:
            self.schedule.reach(self._state)
            chosen = running[self.schedule.choose(len(running)) if len(running) > 1 else 0]
            chosen.switch()
            running = [actor for actor in running if not actor.dead]
        self._actors = {}

    def come_to_rest(self) -> None:
        """Let time pass until nothing is left to do: deliver what becomes visible, and run the timer when it is due."""
        for _ in range(MOST_EVENTS):
            self.schedule.reach(self._state)
            moments = [
                (message.next_visible_on, queue)
                for queue in (self.queue, self.poison_queue)
                for message in queue.messages
                if message.next_visible_on is not None and not self._is_spent(message, queue)
            ]
            due = self._timer_is_due()
            if due is not None and all(due < moment for moment, _ in moments):
                self.clock.advance_to(due)
                self.run_timer()
            elif moments:
                moment, queue = min(moments, key=lambda each: each[0])
                self.clock.advance_to(moment)
                message = queue.receive_message(visibility_timeout=LEASE_SECONDS)
                assert message is not None
                if not self._is_spent(message, queue, received=1):
                    self.deliver(message, queue)
            else:
                return
        raise AssertionError("the world does not come to rest")

    # What came of it.

    @property
    def events(self) -> dict[str, set[str]]:
        """Return the contents of all events that arrived, by their IDs."""
        arrived: dict[str, set[str]] = {}
        for message in self.results.messages:
            arrived.setdefault(json.loads(message.content)["id"], set()).add(message.content)
        return arrived

    def outcome(self, watch_id: str) -> str:
        """Return how a request ended."""
        (content,) = self.events[watch_id]
        return str(json.loads(content)["data"]["outcome"])

    # How outside calls go wrong.

    def _outside(self, target: object) -> object:
        world = self

        class Outside:
            def __getattr__(self, name: str) -> Any:
                member = getattr(target, name)
                if name not in _OUTSIDE_METHODS:
                    return member
                return lambda *args, **kwargs: world._around(target, name, partial(member, *args, **kwargs))

        return Outside()

    def _around(self, target: object, name: str, call: Callable[[], Any]) -> Any:
        actor = greenlet.getcurrent()
        seen = self._actors.get(actor, [])
        if actor in self._actors and target is not self.service:
            seen.append(f"before {name}")
            self._scheduler.switch()
        self.clock.advance(CALL_SECONDS)
        if self.disturbances and self.schedule.choose(2):
            self.disturbances.pop(0)(self)
        if self.outage is target:
            raise ServiceRequestError("it is out for longer")
        if name == "query_entities":
            # Read whole: the pages of a query are read before anything is done with them.
            call = partial(lambda query: list(query()), call)
        fault = self.schedule.choose(1 + len(Fault)) if self.faults else 0
        seen.append(f"fault {fault}")
        try:
            if fault:
                self.faults -= 1
                answer = go_wrong(tuple(Fault)[fault - 1], call, of_service=target is self.service)
            else:
                answer = call()
        except BaseException as error:
            seen.append(repr(error))
            raise
        seen.append(told(answer))
        return iter(answer) if name == "query_entities" else answer

    def _give_back(self, message: QueueMessage, queue: InMemoryQueue) -> None:
        receipt = message.pop_receipt or ""
        try:
            if queue is self.poison_queue:
                return  # a poison queue has none of its own; the lease runs out
            if (message.dequeue_count or 0) < MAX_DEQUEUE_COUNT:
                queue.update_message(message.id, receipt, visibility_timeout=RETRY_SECONDS)
                return
            copy = self.poison_queue.send_message(message.content)
            queue.delete_message(message.id, receipt)
        except HttpResponseError:
            return
        original = _received(message).watch_id
        if original in self.requests:
            # The request lives on under the ID of its poison copy.
            self.requests.append(_received(copy).watch_id)
            if original not in self.on_record():
                self.requests.remove(original)

    def _state(self) -> Hashable:
        """Return all that the future depends on. Tokens of writes are random; ETags tell writes apart too."""
        return (
            self.clock(),
            self.faults,
            len(self.disturbances),
            tuple(self.requests),
            told(list(self.table.query_entities("PartitionKey ge @any", parameters={"any": ""}))),
            *(told(queue.messages) for queue in (self.queue, self.poison_queue, self.results)),
            told([training.created for group in self.service.trainings.values() for training in group]),
            *(tuple(seen) for seen in self._actors.values()),
        )

    def _is_spent(self, message: QueueMessage, queue: InMemoryQueue, *, received: int = 0) -> bool:
        """Tell whether the host will call nobody with a message any more; it keeps it until its life is over."""
        return queue is self.poison_queue and (message.dequeue_count or 0) - received >= MAX_DEQUEUE_COUNT

    def _timer_is_due(self) -> Any:
        if not self.with_timer:
            return None
        waiting = [
            row["nextLookAt"]
            for row in self.table.query_entities(
                "state eq @watching or owed eq true", parameters={"watching": "watching"}
            )
        ]
        if not waiting:
            return None
        overdue = min(waiting) + timedelta(seconds=OVERDUE_SECONDS)
        return max(overdue, self.clock()).replace(second=0, microsecond=0) + timedelta(minutes=1)


def _received(message: QueueMessage) -> Message:
    assert message.inserted_on is not None
    return Message(message.id, message.inserted_on, message.content.encode(), message.dequeue_count or 1)
