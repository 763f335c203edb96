"""Each guard of the protocol matters: without it, some schedule breaks a promise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest

from shared.face.errors import FaceError
from shared.face.models import GroupKind, Training
from shared.training.record import Outcome, State, Watch
from shared.training.report import ended_event
from shared.training.request import FollowUp, Request
from shared.training.store import LostRace, WatchStore
from shared.training.watch import Watcher
from tests.unit.protocol.explorer import BrokenPromise, Schedule, explore
from tests.unit.protocol.promise import check_promise
from tests.unit.protocol.test_crashes import LONG_SECONDS, let_pass
from tests.unit.protocol.world import GROUP, LEASE_SECONDS, World


class AdvancesBeforeSending(Watcher):
    def _go_on(self, watch: Watch, step: int, delay: int, now: datetime) -> None:
        self.store.replace(msgspec.structs.replace(watch, step=step + 1, next_look_at=now + timedelta(seconds=delay)))
        follow_up = FollowUp(watch.watch_id, watch.kind, watch.group_id, step + 1)
        self.queue.send_message(follow_up.body, visibility_timeout=delay, time_to_live=-1)


class TellsBeforeWriting(Watcher):
    def end(
        self, watch: Watch, outcome: Outcome, *, error: str | None = None, superseded_by: str | None = None
    ) -> None:
        now = self.clock()
        event = ended_event(watch, outcome, source=self.face.endpoint, at=now, error=error, superseded_by=superseded_by)
        self.reporter.send(event)
        self.store.replace(
            msgspec.structs.replace(watch, state=State.ENDED, outcome=outcome, ended_at=now, event=event, owed=False)
        )


class ChecksNoStep(Watcher):
    def _step(self, at: FollowUp, request: Request | None) -> None:
        for watch in self.store.read_from(at.kind, at.group_id, at.watch_id)[:1]:
            at = msgspec.structs.replace(at, step=max(at.step, watch.step))
        super()._step(at, request)


class NotesNoTraining(Watcher):
    def _start_training(self, watch: Watch, look: Training | FaceError) -> tuple[Watch, Training | FaceError]:
        self.face.start_training(watch.kind, watch.group_id)
        return msgspec.structs.replace(watch, called_at=self.clock(), noted=True), look


class ChecksNoETag(WatchStore):
    def replace(self, watch: Watch) -> Watch:
        current = self.read_from(watch.kind, watch.group_id, watch.watch_id)[0]
        return super().replace(msgspec.structs.replace(watch, etag=current.etag))


class SeesNoNewerRequest(WatchStore):
    def read_from(self, kind: GroupKind, group_id: str, watch_id: str) -> list[Watch]:
        return [watch for watch in super().read_from(kind, group_id, watch_id) if watch.watch_id == watch_id]


class KnowsNoWriteOfItsOwn(WatchStore):
    def _own_write(self, watch: Watch, row: object) -> Watch:  # noqa: ARG002 - that is what it leaves out
        raise LostRace


@dataclass(frozen=True)
class Guard:
    """Name a guard by the promise that its absence breaks, and by the step or the store that lack it."""

    broken: str
    scenario: Callable[[World], None]
    watcher_type: type[Watcher] = Watcher
    store_type: type[WatchStore] = WatchStore
    body: str = GROUP


def one_watch(world: World) -> None:
    world.come_to_rest()
    check_promise(world)


def delivered_twice_at_once(world: World) -> None:
    world.faults = 0
    first = world.receive()
    world.clock.advance(LEASE_SECONDS)
    second = world.receive()
    world.at_once([partial(world.deliver, first), partial(world.deliver, second)])
    world.come_to_rest()
    check_promise(world)


def long_training(world: World) -> None:
    world.service.begin(GROUP, LONG_SECONDS)
    let_pass(world, 30)
    world.faults = 0
    let_pass(world, 2 * LEASE_SECONDS)
    assert len(world.queue.messages) == 1, "two chains go on"


def overtaken(world: World) -> None:
    world.faults = 0
    world.service.begin(GROUP, LONG_SECONDS)
    older = world.requests[0]
    world.deliver(world.receive())
    world.clock.advance(1)
    world.enqueue()
    world.come_to_rest()
    assert world.outcome(older) == "superseded", "a superseded watch goes on"


def started_by_the_app(world: World) -> None:
    world.come_to_rest()
    assert len(world.service.trainings[GROUP]) == 2, "not started once"


GUARDS = {
    "the follow-up is sent before the record advances": Guard(
        "no event of", one_watch, watcher_type=AdvancesBeforeSending
    ),
    "the end is written before it is told": Guard("was told in 2 ways", one_watch, watcher_type=TellsBeforeWriting),
    "every write is on its ETag": Guard("was told in 2 ways", delivered_twice_at_once, store_type=ChecksNoETag),
    "a step that the record has passed is dropped": Guard("two chains go on", long_training, watcher_type=ChecksNoStep),
    "a newer request supersedes": Guard("a superseded watch goes on", overtaken, store_type=SeesNoNewerRequest),
    "a write whose answer was lost is known by its token": Guard(
        "no event of", one_watch, store_type=KnowsNoWriteOfItsOwn
    ),
    "the earlier training is noted before another is started": Guard(
        "not started once",
        started_by_the_app,
        watcher_type=NotesNoTraining,
        body=f'{{"groupId": "{GROUP}", "train": true}}',
    ),
}


def scenario_of(guard: Guard, *, removed: bool) -> Callable[[Schedule], None]:
    def scenario(schedule: Schedule) -> None:
        world = World(
            schedule,
            faults=1,
            with_timer=False,
            watcher_type=guard.watcher_type if removed else Watcher,
            store_type=guard.store_type if removed else WatchStore,
        )
        world.service.begin(GROUP)
        if guard.scenario is started_by_the_app:
            world.clock.advance(5)
        world.enqueue(guard.body)
        guard.scenario(world)

    return scenario


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS.keys())
def test_without_the_guard_a_promise_is_broken(guard: Guard) -> None:
    with pytest.raises(BrokenPromise, match=guard.broken):
        explore(scenario_of(guard, removed=True))


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS.keys())
def test_with_the_guard_the_same_schedules_hold(guard: Guard) -> None:
    explore(scenario_of(guard, removed=False))
