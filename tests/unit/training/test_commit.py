"""Writing what a poll decided, on a table in memory: in one transaction or several, against who writes meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest

from shared.training.commit import MAX_EVENT_BYTES, Plan, commit
from shared.training.decide import End
from shared.training.events import Seen, ended
from shared.training.record import Claim, GroupRecord, Outcome, RequestRecord, Watch
from shared.training.store import LostRace, WatchStore, Written
from tests.support.builders import FACE, GROUP, START, request, watch
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.table import InMemoryTable


class RacedStore(WatchStore):
    """A store whose writes others interrupt.

    ``before`` is called, each entry once, before a write. After so many ``losses`` more, the response of a write is
    lost, and that of the client's own repetition comes.
    """

    def __init__(self) -> None:
        super().__init__(cast("Any", InMemoryTable(VirtualClock())))
        self.before: list[Callable[[], object]] = []
        self.after_lost: Callable[[], object] = lambda: None
        self.losses = 0
        self.writes = 0

    def write(self, *arguments: Any, **changes: Any) -> Written:
        self.writes += 1
        if self.before:
            self.before.pop(0)()
        written = super().write(*arguments, **changes)
        if self.losses:
            self.losses -= 1
            self.after_lost()
            return super().write(*arguments, **changes)
        return written

    def undisturbed(self) -> WatchStore:
        """Return a store of another process."""
        return WatchStore(self._table)


@pytest.fixture
def store() -> RacedStore:
    return RacedStore()


def live_group(store: RacedStore, *numbers: int) -> GroupRecord:
    """Put a live watch with these open requests on record."""
    other, joins = store.undisturbed(), [request(number) for number in numbers]
    record = other.read(GROUP)
    for first in range(0, max(len(joins), 1), 90):
        step = msgspec.structs.replace(record.watch, live=True, step=3, step_token="before")
        other.write(GROUP, step, joins=joins[first : first + 90])
        record = other.read(GROUP)
    return record


def join(store: RacedStore, *numbers: int) -> Callable[[], object]:
    """Return what others do who join: they leave the watch as it is, but for its ETag."""

    def others_join() -> None:
        other = store.undisturbed()
        other.write(GROUP, other.read(GROUP).watch, joins=[request(number) for number in numbers])

    return others_join


def advance(store: RacedStore, **changes: Any) -> Callable[[], object]:
    """Return what another handler does that takes the step, or claims a train call."""

    def another_advances() -> None:
        other = store.undisturbed()
        other.write(GROUP, msgspec.structs.replace(other.read(GROUP).watch, **changes))

    return another_advances


def end(of: RequestRecord, words: str = "why") -> RequestRecord:
    return ended(
        GROUP, of, End(Outcome.FAILED, "trainingFailed", words), Seen(at=START), source="https://faces.example"
    )


def plan_of(record: GroupRecord, ending: int, **changes: Any) -> Plan:
    """Return a plan that ends the first of the open requests, and goes on where some are left."""
    goes_on = ending < len(record.open)
    after = msgspec.structs.replace(record.watch, step=record.watch.step + 1, live=goes_on)
    return Plan(**{"watch": after, "ends": tuple(end(each) for each in record.open[:ending]), **changes})


def ids(requests: Any) -> set[str]:
    return {each.request_id for each in requests}


def numbered(*numbers: int) -> set[str]:
    return ids(request(number) for number in numbers)


def must_not_revive(_: Watch) -> Watch:
    raise AssertionError("somebody was taken to have joined")


def test_a_step_is_one_transaction_and_leaves_the_record_as_the_table_has_it(store: RacedStore) -> None:
    record = live_group(store, 1, 2)
    noted = msgspec.structs.replace(record.open[1], train=True, noted=True)
    plan = plan_of(record, 1, changes=(noted,), joins=(request(3),))
    after = commit(store, record, plan, must_not_revive)
    assert store.writes == 1
    now = store.read(GROUP)
    assert (now.watch.step, now.watch.live) == (4, True)
    assert (ids(now.open), ids(now.owed)) == (numbered(2, 3), numbered(1))
    assert (after.watch, after.owed) == (now.watch, now.owed)
    assert sorted(after.open, key=str) == sorted(now.open, key=str)


def test_each_commit_has_a_token_of_its_own(store: RacedStore) -> None:
    record = live_group(store, 1)
    tokens = [record.watch.step_token]
    for _ in range(3):
        record = commit(store, record, plan_of(record, 0))
        tokens.append(record.watch.step_token)
    assert len(set(tokens)) == 4


def test_a_thousand_ends_are_written_in_chunks_that_fit_and_the_step_comes_last(store: RacedStore) -> None:
    record = live_group(store, *range(1_000))
    steps: list[int] = []
    store.before = [lambda: steps.append(store.undisturbed().read(GROUP).watch.step)] * 100
    after = commit(store, record, plan_of(record, 1_000), must_not_revive)
    assert store.writes == len(steps) == 21  # of 49 ends each
    assert set(steps) == {3}
    now = store.read(GROUP)
    assert (now.watch.step, now.watch.live, now.open) == (4, False, ())
    assert ids(now.owed) == ids(after.owed) == numbered(*range(1_000))


def test_long_events_are_written_in_more_chunks(store: RacedStore) -> None:
    record = live_group(store, *range(60))
    record = msgspec.structs.replace(
        record, open=tuple(msgspec.structs.replace(each, correlation_id=FACE * 256) for each in record.open)
    )
    ends = tuple(end(each, FACE * 3_300) for each in record.open)
    assert 49 * len(ends[0].event or b"") > MAX_EVENT_BYTES  # so 49 do not fit one transaction
    commit(store, record, plan_of(record, 0, ends=ends))
    assert len(store.read(GROUP).owed) == 60


@pytest.mark.parametrize("ending", [49, 50, 99, 100])
@pytest.mark.parametrize("joining", [0, 1, 40])
def test_no_number_of_ends_and_joins_is_too_many_for_a_transaction(
    store: RacedStore, ending: int, joining: int
) -> None:
    record = live_group(store, *range(100))
    joins = tuple(request(number) for number in range(1_000, 1_000 + joining))
    goes_on = msgspec.structs.replace(record.watch, step=4, live=True)
    commit(store, record, plan_of(record, ending, joins=joins, watch=goes_on))
    now = store.read(GROUP)
    assert (len(now.owed), len(now.open)) == (ending, 100 - ending + joining)


def test_a_plan_still_holds_where_others_only_joined(store: RacedStore) -> None:
    record = live_group(store, 1, 2)
    store.before = [join(store, 7), join(store, 8)]
    commit(store, record, plan_of(record, 1, joins=(request(3),)), must_not_revive)
    now = store.read(GROUP)
    assert (now.watch.step, store.writes) == (4, 3)
    assert (ids(now.open), ids(now.owed)) == (numbered(2, 3, 7, 8), numbered(1))


def test_who_joins_between_two_chunks_stays_open(store: RacedStore) -> None:
    record = live_group(store, *range(100))
    store.before = [lambda: None, join(store, 777), lambda: None, join(store, 888)]
    revived: list[Watch] = []

    def revive(ending: Watch) -> Watch:
        revived.append(ending)
        return msgspec.structs.replace(ending, live=True, next_poll_at=START + timedelta(seconds=1))

    after = commit(store, record, plan_of(record, 100), revive)
    now = store.read(GROUP)
    assert (now.watch.live, now.watch.step, now.watch.next_poll_at) == (True, 4, START + timedelta(seconds=1))
    assert (ids(now.open), len(now.owed)) == (numbered(777, 888), 100)
    assert len(revived) == 1
    assert after.watch == now.watch


def test_a_watch_that_was_to_end_goes_on_for_who_has_joined(store: RacedStore) -> None:
    record = live_group(store, 1)
    store.before = [join(store, 7)]
    after = commit(store, record, plan_of(record, 1), lambda ending: msgspec.structs.replace(ending, live=True))
    now = store.read(GROUP)
    assert (now.watch.live, ids(now.open), ids(now.owed)) == (True, numbered(7), numbered(1))
    assert after.watch.live


@pytest.mark.parametrize(
    "changes", [{"step": 4}, {"live": False}, {"claim": Claim(None, START)}], ids=["step", "end", "claim"]
)
def test_a_plan_is_dropped_where_another_handler_has_gone_on(store: RacedStore, changes: dict[str, Any]) -> None:
    record = live_group(store, 1, 2)
    store.before = [advance(store, step_token="another", **changes)]
    with pytest.raises(LostRace):
        commit(store, record, plan_of(record, 1), must_not_revive)
    now = store.read(GROUP)
    assert (ids(now.open), now.owed) == (numbered(1, 2), ())


def test_a_plan_is_dropped_where_one_of_its_requests_was_cancelled(store: RacedStore) -> None:
    record = live_group(store, 1, 2)

    def cancel() -> None:
        other = store.undisturbed()
        now = other.read(GROUP)
        other.write(GROUP, now.watch, ends=[end(now.open[0])])

    store.before = [cancel]
    with pytest.raises(LostRace):
        commit(store, record, plan_of(record, 1), must_not_revive)
    now = store.read(GROUP)
    assert (now.watch.step, ids(now.open), ids(now.owed)) == (3, numbered(2), numbered(1))


def test_a_plan_still_holds_where_a_request_was_cancelled_that_it_leaves_as_it_is(store: RacedStore) -> None:
    record = live_group(store, 1, 2)

    def cancel() -> None:
        other = store.undisturbed()
        now = other.read(GROUP)
        other.write(GROUP, now.watch, ends=[end(now.open[1])])

    store.before = [cancel]
    commit(store, record, plan_of(record, 1), must_not_revive)
    now = store.read(GROUP)
    assert (now.watch.step, now.open, ids(now.owed)) == (4, (), numbered(1, 2))


def test_what_others_have_ended_meanwhile_is_owed_too(store: RacedStore) -> None:
    record = live_group(store, 1)

    def cancel_one_that_is_on_its_way() -> None:
        other = store.undisturbed()
        other.write(GROUP, other.read(GROUP).watch, ends=[end(request(7))])

    store.before = [cancel_one_that_is_on_its_way]
    after = commit(store, record, plan_of(record, 1), must_not_revive)
    # Who ends the watch takes it out of the index, so nobody else would tell it if the other one has died.
    assert not after.watch.live
    assert ids(after.owed) == numbered(1, 7)


def test_a_request_that_another_handler_has_put_on_record_drops_the_plan(store: RacedStore) -> None:
    record = live_group(store, 1)
    store.before = [join(store, 3)]
    with pytest.raises(LostRace):
        commit(store, record, plan_of(record, 0, joins=(request(3),)), must_not_revive)
    assert ids(store.read(GROUP).open) == numbered(1, 3)


def test_a_write_that_was_done_though_its_response_was_lost_is_ones_own(store: RacedStore) -> None:
    record = live_group(store, 1, 2)
    store.losses = 1
    after = commit(store, record, plan_of(record, 1), must_not_revive)
    now = store.read(GROUP)
    assert (now.watch.step, store.writes) == (4, 1)
    assert (after.watch, after.owed) == (now.watch, now.owed)
    assert ids(after.owed) == numbered(1)


def test_a_lost_response_in_each_chunk_loses_no_end(store: RacedStore) -> None:
    record = live_group(store, *range(100))
    store.losses = 3
    after = commit(store, record, plan_of(record, 100), must_not_revive)
    assert store.losses == 0
    assert ids(after.owed) == ids(store.read(GROUP).owed) == numbered(*range(100))


def test_a_join_after_a_write_does_not_hide_that_it_was_ones_own(store: RacedStore) -> None:
    record = live_group(store, 1, 2)
    store.losses, store.after_lost = 1, join(store, 7)
    after = commit(store, record, plan_of(record, 1), must_not_revive)
    assert ids(after.owed) == numbered(1)
    assert ids(after.open) == numbered(2, 7)
    assert store.read(GROUP).watch.step == 4


def test_a_write_that_another_has_gone_on_from_is_a_lost_race(store: RacedStore) -> None:
    record = live_group(store, 1, 2)
    store.losses, store.after_lost = 1, advance(store, step=5, step_token="another")
    with pytest.raises(LostRace):
        commit(store, record, plan_of(record, 1), must_not_revive)


def test_the_first_request_of_a_group_makes_its_watch(store: RacedStore) -> None:
    record = store.read(GROUP)
    commit(store, record, Plan(watch=watch(step=1), joins=(request(1),)))
    now = store.read(GROUP)
    assert (now.watch.step, now.watch.live, ids(now.open)) == (1, True, numbered(1))
    with pytest.raises(LostRace):  # another request of the same moment read no record either
        commit(store, record, Plan(watch=watch(step=1), joins=(request(2),)))
