"""Each guard of the protocol matters: without it, some schedule breaks a promise."""

# ruff: noqa: SLF001 - it is the code's own steps that are taken out

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from shared.training import commit as commit_module
from shared.training import decide, rows, step, watch
from shared.training.commit import Plan, commit
from shared.training.messages import FollowUp, Group
from shared.training.readers import LiveGroup
from shared.training.record import GroupRecord, RequestRecord, Watch
from shared.training.step import Decided, StepTaker
from shared.training.store import WatchStore, Written
from shared.training.tell import Teller
from shared.training.timer import Caretaker
from shared.training.watch import Watcher
from tests.unit.protocol.disturbances import begin_training, let_pass
from tests.unit.protocol.explorer import BrokenPromise, Schedule, explore
from tests.unit.protocol.promise import check_one_chain, check_promise
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World, received

pytestmark = pytest.mark.exhaustive

LONG_SECONDS = 3000


@dataclass(frozen=True)
class Guard:
    """A guard: the promise that breaks without it, where that shows, and the code without it."""

    broken: str
    scenario: Callable[[Schedule], None]
    taken_out: Callable[[], AbstractContextManager[object]]


def replaced(owner: object, name: str, other: Any) -> Callable[[], AbstractContextManager[object]]:
    """Return what replaces a part of the code for a while."""
    return lambda: patch.object(owner, name, other)


# Scenarios.


def one_request(schedule: Schedule) -> None:
    world = World(schedule, faults=1, with_timer=False)
    world.service.begin(GROUP, 2.5)
    world.enqueue()
    world.come_to_rest()
    check_promise(world)


def later_training(schedule: Schedule) -> None:
    world = World(schedule, disturbances=[begin_training])
    world.service.begin(GROUP, 0)
    world.clock.advance(1)
    world.enqueue(trained_after=world.clock())
    world.enqueue(train=True)
    world.come_to_rest()
    check_promise(world)


def delivered_twice(schedule: Schedule) -> None:
    world = World(schedule)
    world.service.begin(GROUP, 0)
    world.enqueue()
    twice_at_once(world)


def train_delivered_twice(schedule: Schedule) -> None:
    world = World(schedule)
    world.service.begin(GROUP, 0)
    world.clock.advance(1)
    world.enqueue(train=True)
    twice_at_once(world)


def train_is_due_at_two_handlers(schedule: Schedule) -> None:
    world = World(schedule)
    first = world.service.begin(GROUP, LONG_SECONDS)
    world.enqueue(train=True)
    world.deliver(world.receive())
    first.seconds = 0
    twice_at_once(world)


def slow_caller(schedule: Schedule) -> None:
    world = World(schedule, disturbances=[let_pass(70)], disturb_before="submit_transaction")
    world.service.begin(GROUP, 0)
    world.clock.advance(1)
    world.enqueue(train=True)
    twice_at_once(world)


def twice_at_once(world: World) -> None:
    first = world.receive()
    world.clock.advance(LEASE_SECONDS)
    second = world.receive()
    world.at_once(partial(world.deliver, first), partial(world.deliver, second))
    world.disturbances = []
    world.come_to_rest()
    check_promise(world)


def follow_up_overtakes_its_sender(schedule: Schedule) -> None:
    world = World(schedule, with_timer=False)
    world.service.begin(GROUP, 2.5)
    world.enqueue()
    message = world.receive()
    world.queue.delete_message(message.id, message.pop_receipt)
    world.at_once(lambda process: process.watcher.handle(received(message)), world.deliver_next)
    world.come_to_rest()
    check_promise(world)


def follow_up_and_request(schedule: Schedule) -> None:
    world = World(schedule)
    first = world.service.begin(GROUP, LONG_SECONDS)
    world.enqueue()
    world.deliver(world.receive())
    first.seconds = 0
    follow_up = world.receive()
    world.enqueue()
    request = world.receive()
    world.at_once(partial(world.deliver, follow_up), partial(world.deliver, request))
    world.come_to_rest()
    check_promise(world)


def two_chains(schedule: Schedule) -> None:
    world = World(schedule, faults=1)
    world.service.begin(GROUP, LONG_SECONDS)
    world.enqueue()
    world.come_to_rest(until=world.clock() + timedelta(seconds=30))
    world.faults = 0
    world.come_to_rest(until=world.clock() + timedelta(seconds=2 * LEASE_SECONDS))
    check_one_chain(world)


def timer_and_request(schedule: Schedule) -> None:
    world = World(schedule, disturbances=[let_pass(300)], disturb_before="send_message")
    world.service.begin(GROUP, LONG_SECONDS)
    world.enqueue()
    message = world.receive()
    world.at_once(partial(world.deliver, message), world.late_timer)
    world.come_to_rest()
    check_promise(world)


def cancelled_on_its_way(schedule: Schedule) -> None:
    world = World(schedule)
    world.service.begin(GROUP, LONG_SECONDS)
    request = world.enqueue()
    message = world.receive()
    world.at_once(partial(world.cancel, request), partial(world.deliver, message))
    world.come_to_rest()
    check_promise(world)


def asked_while_it_runs(schedule: Schedule) -> None:
    world = World(schedule)
    world.service.begin(GROUP, LONG_SECONDS)
    world.enqueue()
    world.deliver(world.receive())
    world.enqueue()
    world.deliver(world.receive())
    world.come_to_rest()
    check_promise(world)


# The code without a guard.


def unguarded_write(original: Any) -> Any:
    """Return a write that takes the ETags that the rows have now."""

    def write(self: WatchStore, group: Group, watch: Watch, **changes: Sequence[RequestRecord]) -> Written:
        record = self.read(group)
        etags = {each.request_id: each.etag for each in record.open}
        current = {
            name: [msgspec.structs.replace(each, etag=etags.get(each.request_id)) for each in requests]
            for name, requests in changes.items()
        }
        written: Written = original(self, group, msgspec.structs.replace(watch, etag=record.watch.etag), **current)
        return written

    return write


@contextmanager
def index_is_not_upserted() -> Iterator[None]:
    upsert = WatchStore.upsert_live

    def only_where_it_is_missing(self: WatchStore, group: Group, next_poll_at: Any, weight: float, *more: Any) -> str:
        for row in self._table.query_entities(
            "PartitionKey eq @live and RowKey eq @row",
            parameters={"live": rows.LIVE, "row": rows.partition_of(group)},
        ):
            return str(row.metadata["etag"])
        return upsert(self, group, next_poll_at, weight, *more)

    with patch.object(WatchStore, "upsert_live", only_where_it_is_missing):
        yield


@contextmanager
def index_comes_after_the_commit() -> Iterator[None]:
    write, upsert = WatchStore.write, WatchStore.upsert_live
    late: list[Any] = []

    def upsert_later(self: WatchStore, *args: Any) -> str:
        late.append((self, args))
        return ""

    def write_first(self: WatchStore, *args: Any, **changes: Any) -> Written:
        written = write(self, *args, **changes)
        while late:
            store, rest = late.pop()
            upsert(store, *rest)
        return written

    with patch.object(WatchStore, "write", write_first), patch.object(WatchStore, "upsert_live", upsert_later):
        yield


@contextmanager
def events_are_sent_before_they_are_owed() -> Iterator[None]:
    commit = StepTaker._commit

    def send_first(self: StepTaker, record: GroupRecord, number: int, decided: Decided) -> Any:
        for each in decided.ends:
            if each.event is not None:
                self.teller._send(each.event, each.request_id, each.traceparent)
        return commit(self, record, number, decided)

    with patch.object(StepTaker, "_commit", send_first):
        yield


@contextmanager
def follow_up_comes_after_the_commit() -> Iterator[None]:
    original = StepTaker._commit

    def commit_first(self: StepTaker, record: GroupRecord, number: int, decided: Decided) -> Any:
        real, late = self.queue, []

        class Later:
            def send_message(self, *args: Any, **kwargs: Any) -> Any:
                late.append((args, kwargs))
                return real_message

            def delete_message(self, *_: Any) -> None:
                late.clear()

        real_message = type("Sent", (), {"id": "", "pop_receipt": ""})()
        object.__setattr__(self, "queue", Later())
        try:
            result = original(self, record, number, decided)
        finally:
            object.__setattr__(self, "queue", real)
        for args, kwargs in late:
            real.send_message(*args, **kwargs)
        return result

    with patch.object(StepTaker, "_commit", commit_first):
        yield


def drops_no_step(self: Watcher, record: GroupRecord, follow_up: FollowUp) -> bool:  # noqa: ARG001
    return record.watch.live


def raises_no_step(self: Watcher, record: GroupRecord, follow_up: FollowUp) -> bool:  # noqa: ARG001
    return record.watch.live and follow_up.step >= record.watch.step


def commit_without_revival(store: WatchStore, record: GroupRecord, plan: Plan, _: object = None) -> GroupRecord:
    return commit(store, record, plan)


STILL_HOLDS = commit_module._still_holds


def holds_whatever_the_step(before: GroupRecord, now: GroupRecord, chunks: Sequence[Plan]) -> bool:
    watch = msgspec.structs.replace(before.watch, step=now.watch.step, claim=now.watch.claim)
    return STILL_HOLDS(msgspec.structs.replace(before, watch=watch), now, chunks)


READ_WATCH = rows.read_watch


def without_token(row: Mapping[str, Any]) -> Watch:
    return msgspec.structs.replace(READ_WATCH(row), step_token="")


@contextmanager
def the_timer_does_not_touch() -> Iterator[None]:
    def take_up(self: Caretaker, live: LiveGroup, now: Any) -> None:
        record = self.store.read(live.group)
        if record.owed:
            self.teller.tell(live.group, record.owed)
        if record.watch.live:
            self.queue.send_message(FollowUp(group=live.group, step=record.watch.step).body, time_to_live=-1)
            self.store.postpone_live(live, now)
        elif not record.owed:
            self.store.remove_live(live.group, live.etag)

    with patch.object(Caretaker, "_take_up_one", take_up):
        yield


def told_without_a_record(self: Teller, group: Group, owed: Sequence[RequestRecord]) -> list[RequestRecord]:
    if owed:
        self.store.note_told(group, owed)
    for each in owed:
        if each.event is not None:
            self._send(each.event, each.request_id, each.traceparent)
    return []


GUARDS = {
    "the follow-up is sent before the record advances": Guard(
        "no event of", one_request, follow_up_comes_after_the_commit
    ),
    "an end is on record before it is told": Guard(
        "was told in 2 ways", delivered_twice, events_are_sent_before_they_are_owed
    ),
    "an event is sent before it is noted as told": Guard(
        "no event of", one_request, replaced(Teller, "tell", told_without_a_record)
    ),
    "every write is on its ETag": Guard(
        "in 2 ways|anew|open and owed",
        delivered_twice,
        replaced(WatchStore, "write", unguarded_write(WatchStore.write)),
    ),
    "a step that the record has passed is dropped": Guard(
        "chains of polls|does not come to rest", two_chains, replaced(Watcher, "_belongs", drops_no_step)
    ),
    "a told request is not begun anew": Guard(
        "begun anew|told in 2 ways", one_request, replaced(WatchStore, "is_told", lambda *_: False)
    ),
    "the index row comes before the commit": Guard("the index lacks", one_request, index_comes_after_the_commit),
    "the index row is written anew by each step": Guard(
        "the index lacks", follow_up_and_request, index_is_not_upserted
    ),
    "the timer touches the watch before it removes the index row": Guard(
        "the index lacks", timer_and_request, the_timer_does_not_touch
    ),
    "a train call is claimed": Guard(
        "train was called 2 times", train_delivered_twice, replaced(decide, "is_claimed", lambda *_: False)
    ),
    "a claim's owner calls only in time": Guard(
        "train was called 2 times", slow_caller, replaced(step, "CLAIM_SECONDS", 1e6)
    ),
    "a request with train notes what stands": Guard(
        "end of long ago|the noted training|never looked for",
        later_training,
        replaced(decide, "is_same_training", lambda *_: False),
    ),
    "a request joins without a poll": Guard("a poll of its own", asked_while_it_runs, replaced(watch, "_JOINABLE", ())),
    "whoever joins while the watch ends revives it": Guard(
        "open while its group's watch is not live",
        follow_up_and_request,
        replaced(step, "commit", commit_without_revival),
    ),
    "a write whose response was lost is known by its token": Guard(
        "no event of", one_request, replaced(rows, "read_watch", without_token)
    ),
    "a plan is given up where more than joins came between": Guard(
        "train was called 2 times",
        train_is_due_at_two_handlers,
        replaced(commit_module, "_still_holds", holds_whatever_the_step),
    ),
    "a follow-up that overtakes its sender raises the step": Guard(
        "no event of", follow_up_overtakes_its_sender, replaced(Watcher, "_belongs", raises_no_step)
    ),
    "a cancelled request that is on its way is dropped": Guard(
        "begun anew|in 2 ways|open and owed", cancelled_on_its_way, replaced(WatchStore, "is_told", lambda *_: False)
    ),
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS.keys())
def test_without_the_guard_a_promise_is_broken(guard: Guard) -> None:
    with guard.taken_out(), pytest.raises(BrokenPromise, match=guard.broken):
        explore(guard.scenario)


@pytest.mark.parametrize(
    "scenario", dict.fromkeys(guard.scenario for guard in GUARDS.values()), ids=lambda each: each.__name__
)
def test_with_the_guards_the_same_schedules_hold(scenario: Callable[[Schedule], None]) -> None:
    explore(scenario)
