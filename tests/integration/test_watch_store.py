"""The record of groups in Azurite's table."""

import logging
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import AzureError
from azure.data.tables import UpdateMode

from shared.training import rows
from shared.training.decide import End
from shared.training.events import Seen, ended
from shared.training.messages import Group
from shared.training.record import Last, Outcome, RequestRecord, Watch
from shared.training.rows import ENDED, LIVE, OPEN, OWED
from shared.training.store import LostRace, WatchStore
from tests.support.builders import FACE, GROUP, REQUEST_ID, START, request, watch
from tests.support.watch_parts import WatchParts

OTHER = Group(GROUP.kind, "my-group-2")


@pytest.fixture
def store(parts: WatchParts) -> WatchStore:
    return WatchStore(parts.table)


def end(of: RequestRecord, words: str = "why", *, days: float = 0) -> RequestRecord:
    seen = Seen(at=START + timedelta(days=days, microseconds=123_456))
    return ended(GROUP, of, End(Outcome.FAILED, "trainingFailed", words), seen, source="https://faces.example")


def put(store: WatchStore, *requests: RequestRecord, group: Group = GROUP) -> None:
    """Put open requests on record, the watch live."""
    live = msgspec.structs.replace(store.read(group).watch, live=True)
    store.write(group, live, joins=requests)


def tell(store: WatchStore, *requests: RequestRecord) -> None:
    """Bring requests that are on record to their end, and note that they were told."""
    record = store.read(GROUP)
    known = {each.request_id: each for each in record.open}
    ends = [msgspec.structs.replace(each, etag=known[each.request_id].etag) for each in requests]
    store.note_told(GROUP, store.write(GROUP, record.watch, ends=ends).owed)


def plant(parts: WatchParts, partition: str, key: str, **properties: Any) -> None:
    """Write a row by hand, over the one that is there."""
    parts.table.upsert_entity({"PartitionKey": partition, "RowKey": key, **properties}, mode=UpdateMode.REPLACE)


def test_a_group_without_a_record_is_empty(store: WatchStore) -> None:
    record = store.read(GROUP)
    assert (record.watch, record.open, record.owed, record.stuck) == (Watch(), (), (), ())


def test_what_was_written_is_read_with_the_etags_that_the_write_told(store: WatchStore) -> None:
    first = store.write(GROUP, watch(step=1), joins=[request(1), request(2)])
    changed = msgspec.structs.replace(first.open[1], noted=True)
    ending = msgspec.structs.replace(end(request(1)), etag=first.open[0].etag)
    written = store.write(
        GROUP, msgspec.structs.replace(first.watch, step=2), joins=[request(3)], changes=[changed], ends=[ending]
    )
    record = store.read(GROUP)
    assert record.watch == written.watch
    assert list(record.owed) == written.owed
    assert sorted(record.open, key=str) == sorted(written.open, key=str)
    assert {each.request_id for each in record.open} == {request(2).request_id, request(3).request_id}
    assert all(each.etag for each in (*record.open, *record.owed))


def test_the_longest_event_and_odd_characters_come_back_as_they_were_written(store: WatchStore) -> None:
    odd = request(correlation_id=f"{FACE} ä \u0000 \u000b \ufffe ' \" \\ <&> \r\n")
    ending = end(odd, FACE * 3_500)
    assert 48_000 > len(ending.event or b"") > 40_000
    store.write(GROUP, watch(), ends=[ending])
    (owed,) = store.read(GROUP).owed
    assert msgspec.structs.replace(owed, etag=None) == ending


def test_groups_are_read_each_by_itself(store: WatchStore) -> None:
    put(store, request(1))
    put(store, request(2), group=OTHER)
    assert [each.request_id for each in store.read(GROUP).open] == [request(1).request_id]


def test_of_two_that_read_the_same_record_one_writes(store: WatchStore) -> None:
    first = store.write(GROUP, watch()).watch
    with pytest.raises(LostRace):
        store.write(GROUP, watch())
    second = store.write(GROUP, msgspec.structs.replace(first, step=1)).watch
    for joins in ([], [request(1)]):
        with pytest.raises(LostRace):
            store.write(GROUP, msgspec.structs.replace(first, step=2), joins=joins)
    store.write(GROUP, msgspec.structs.replace(second, step=2))
    assert store.read(GROUP).watch.step == 2


def test_a_write_is_all_or_nothing(store: WatchStore) -> None:
    put(store, request(1))
    record = store.read(GROUP)
    stale = msgspec.structs.replace(end(request(1)), etag="W/\"datetime'2026-11-20T10%3A00%3A00.0000000Z'\"")
    gone = msgspec.structs.replace(end(request(7)), etag=record.open[0].etag)
    known = request(1)
    step = msgspec.structs.replace(record.watch, step=1)
    for changes in ({"ends": [stale]}, {"ends": [gone]}, {"joins": [request(2), known]}):
        with pytest.raises(LostRace):
            store.write(GROUP, step, **changes)
    now = store.read(GROUP)
    assert (now.watch, now.open, now.owed) == (record.watch, record.open, ())


def test_a_record_that_is_gone_is_a_lost_race(store: WatchStore, parts: WatchParts) -> None:
    written = store.write(GROUP, watch()).watch
    parts.table.delete_entity(rows.partition_of(GROUP), rows.WATCH_ROW)
    for joins in ([], [request(1)]):
        with pytest.raises(LostRace):
            store.write(GROUP, written, joins=joins)


def test_a_write_whose_response_was_lost_is_a_lost_race_that_its_token_explains(
    store: WatchStore, parts: WatchParts
) -> None:
    written = store.write(GROUP, watch()).watch
    parts.transport.losses = 1
    with pytest.raises(LostRace):  # the client's own repetition meets the new ETag
        store.write(GROUP, msgspec.structs.replace(written, step=1, step_token="mine"), joins=[request(1)])
    record = store.read(GROUP)
    assert (record.watch.step_token, len(record.open)) == ("mine", 1)


def test_a_table_that_cannot_be_used_raises_the_storages_error(store: WatchStore, parts: WatchParts) -> None:
    parts.transport.losses = 100
    with pytest.raises(AzureError):
        store.write(GROUP, watch(), joins=[request(1)])


# told


def test_what_was_told_is_kept_with_its_event_and_demands_and_is_not_read_again(
    store: WatchStore, parts: WatchParts
) -> None:
    put(store, request(train=True, correlation_id="order 7"), request(2))
    ending = end(request(train=True, correlation_id="order 7"))
    tell(store, ending)
    assert store.is_told(GROUP, REQUEST_ID)
    assert not store.is_told(GROUP, request(2).request_id)
    row = parts.table.get_entity(rows.partition_of(GROUP), rows.told_key(REQUEST_ID))
    assert msgspec.structs.replace(rows.read_request(row), etag=None) == ending
    record = store.read(GROUP)
    assert ([each.request_id for each in record.open], record.owed) == ([request(2).request_id], ())


def test_what_ended_is_listed_under_its_day_and_the_newest_is_first_in_its_group(
    store: WatchStore, parts: WatchParts
) -> None:
    older = request(request_id="20261119T235959Z-a")
    put(store, older, request())
    tell(store, end(older, days=-1))
    tell(store, end(request()))
    told = [key for key in parts.row_keys() if key.startswith("told!")]
    assert told == [rows.told_key(REQUEST_ID), rows.told_key(older.request_id)]
    key = f"2026-11-20T10:00:00.123Z!largePersonGroup!my-group!{REQUEST_ID}"
    row = parts.table.get_entity(f"{ENDED}2026-11-20", key)
    assert row["outcome"] == "failed"
    assert len(parts.row_keys(f"{ENDED}2026-11-19")) == 1


def test_many_are_noted_at_once_and_one_that_was_moved_meanwhile_stops_none(store: WatchStore) -> None:
    requests = [request(number) for number in range(90)]
    store.write(GROUP, watch(), joins=requests)
    for batch in (requests[:45], requests[45:]):
        record = store.read(GROUP)
        etags = {each.request_id: each.etag for each in record.open}
        ends = [msgspec.structs.replace(end(each), etag=etags[each.request_id]) for each in batch]
        store.write(GROUP, record.watch, ends=ends)
    owed = store.read(GROUP).owed
    assert len(owed) == 90
    store.note_told(GROUP, owed[10:11])
    store.note_told(GROUP, owed)
    assert store.read(GROUP).owed == ()
    assert all(store.is_told(GROUP, each.request_id) for each in owed)


# the index of live groups


def test_the_index_holds_who_is_live_until_it_is_removed_on_its_etag(store: WatchStore) -> None:
    first = store.upsert_live(GROUP, START, 0.25)
    second = store.upsert_live(GROUP, START + timedelta(seconds=5), 0.5)
    store.remove_live(GROUP, first)
    (live,) = store.live()
    assert (live.group, live.next_poll_at, live.weight) == (GROUP, START + timedelta(seconds=5), 0.5)
    assert live.etag == second
    store.postpone_live(live, START + timedelta(seconds=9))
    store.postpone_live(live, START)  # somebody else did so before
    store.remove_live(GROUP, second)
    (live,) = store.live()
    assert (live.next_poll_at, live.weight) == (START + timedelta(seconds=9), 0.5)
    store.remove_live(GROUP, live.etag)
    store.remove_live(GROUP, live.etag)
    store.postpone_live(live, START)
    assert list(store.live()) == []


@pytest.mark.parametrize(
    "damage",
    [{}, {"nextPollAt": "soon"}, {"nextPollAt": START, "weight": "much"}, {"nextPollAt": START, "weight": -1.0}],
)
def test_a_row_of_the_index_that_cannot_be_read_counts_as_due_since_it_was_written(
    store: WatchStore, parts: WatchParts, caplog: pytest.LogCaptureFixture, damage: dict[str, Any]
) -> None:
    plant(parts, LIVE, rows.partition_of(GROUP), **damage)
    plant(parts, LIVE, "private")
    store.upsert_live(OTHER, START, 0.25)
    with caplog.at_level(logging.ERROR):
        live = {each.group: each for each in store.live()}
    assert set(live) == {GROUP, OTHER}
    written = parts.table.get_entity(LIVE, rows.partition_of(GROUP)).metadata["timestamp"]
    assert (live[GROUP].next_poll_at, live[GROUP].weight) == (written, 0.0)
    assert "private" not in caplog.text
    assert len(caplog.records) == 2


# rows that cannot be read


def test_a_watch_that_cannot_be_read_begins_anew_as_one_that_nobody_joins_without_a_poll(
    store: WatchStore, parts: WatchParts, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, request())
    plant(parts, rows.partition_of(GROUP), rows.WATCH_ROW, step="private")
    record = store.read(GROUP)
    assert (record.watch.live, record.watch.step, record.watch.last) == (True, 0, Last.NONE)
    store.write(GROUP, msgspec.structs.replace(record.watch, step=1))
    assert store.read(GROUP).watch.step == 1
    assert "private" not in caplog.text


def test_an_open_request_that_cannot_be_read_is_known_by_its_id_and_can_be_ended(
    store: WatchStore, parts: WatchParts, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, request(1))
    plant(parts, rows.partition_of(GROUP), OPEN + REQUEST_ID, correlationId="private", train="maybe")
    record = store.read(GROUP)
    unreadable = {each.request_id: each.unreadable for each in record.open}
    assert unreadable == {REQUEST_ID: True, request(1).request_id: False}
    (damaged,) = (each for each in record.open if each.unreadable)
    store.write(GROUP, record.watch, ends=[end(damaged)])
    assert [each.request_id for each in store.read(GROUP).owed] == [REQUEST_ID]
    assert "private" not in caplog.text


def test_an_owed_request_that_cannot_be_read_is_kept(
    store: WatchStore, parts: WatchParts, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(GROUP, watch(), ends=[end(request(1))])
    plant(parts, rows.partition_of(GROUP), OWED + REQUEST_ID, event="private")
    record = store.read(GROUP)
    assert record.stuck == (REQUEST_ID,)
    assert [each.request_id for each in record.owed] == [request(1).request_id]
    assert "private" not in caplog.text


# retention


def test_what_ended_on_earlier_days_is_removed_and_a_watch_that_is_alone_then(
    store: WatchStore, parts: WatchParts
) -> None:
    put(store, request(1), request(2))
    tell(store, end(request(1), days=-1))
    tell(store, end(request(2)))
    store.note_rejected("event-id", START - timedelta(days=2), "rejected", b"{}")
    plant(parts, f"{ENDED}2026-11-17", "no key of ours")
    old = list(store.ended_before(START))
    assert [each.partition for each in old] == [f"{ENDED}2026-11-{day}" for day in (17, 18, 19)]
    for _ in range(2):  # another timer removes the same
        store.remove_ended(old)
        store.remove_lonely_watch(GROUP)
    assert parts.row_keys() == [rows.WATCH_ROW, rows.told_key(request(2).request_id)]
    assert list(store.ended_before(START)) == []
    store.remove_ended(list(store.ended_before(START + timedelta(days=1))))
    store.remove_lonely_watch(GROUP)
    assert parts.row_keys() == []


def test_a_watch_is_kept_while_any_other_row_of_its_group_is_there(store: WatchStore, parts: WatchParts) -> None:
    put(store, request())
    store.remove_lonely_watch(GROUP)
    store.remove_lonely_watch(OTHER)
    assert parts.row_keys() == [rows.WATCH_ROW, OPEN + REQUEST_ID]
