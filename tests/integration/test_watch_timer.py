"""The timer on real parts: what a crash has left, rows that cannot be read, and old records."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.data.tables import UpdateMode

from shared.training import rows
from shared.training.messages import Group
from shared.training.rows import ENDED, LIVE, OPEN, OWED, TOLD, WATCH_ROW
from tests.support.builders import GROUP, REQUEST_ID
from tests.support.watch_parts import WatchParts

OTHER = Group(GROUP.kind, "z-other")
OVERDUE = 121


def run(parts: WatchParts, *, seconds: float = 0.0) -> None:
    parts.time.sleep(seconds)
    parts.jobs.caretaker.run()


def take_follow_ups(parts: WatchParts) -> list[dict[str, Any]]:
    """Return the bodies of the visible messages of the watch queue."""
    return [json.loads(each.content) for each in parts.queue.receive_messages(visibility_timeout=3_600)]


def plant(parts: WatchParts, partition: str, key: str, **properties: Any) -> None:
    row = {"PartitionKey": partition, "RowKey": key, **properties}
    parts.table.upsert_entity(row, mode=UpdateMode.REPLACE)


def test_what_is_not_overdue_is_left_alone(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    parts.enqueue()
    before = parts.record()
    run(parts, seconds=parts.delay() + 119)
    assert (parts.messages(), parts.record()) == (1, before)


def test_a_lost_follow_up_is_sent_anew_once_in_two_minutes(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    parts.enqueue()
    parts.queue.clear_messages()
    run(parts, seconds=parts.delay() + OVERDUE)
    run(parts, seconds=60)
    assert take_follow_ups(parts) == [{"kind": "largePersonGroup", "groupId": "my-group", "step": 1}]
    run(parts, seconds=OVERDUE)
    assert len(take_follow_ups(parts)) == 1
    parts.plan(duration=0)
    parts.follow(1)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}
    run(parts, seconds=OVERDUE)
    assert parts.messages() == 2  # the two of before, which this test has hidden


def test_an_owed_event_is_sent_and_its_group_leaves_the_index(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        parts.enqueue()
    parts.results.create_queue()
    run(parts, seconds=OVERDUE)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}
    assert parts.record().owed == ()
    assert parts.jobs.store.is_told(GROUP, REQUEST_ID)
    run(parts)
    assert parts.indexed() is None
    assert len(parts.texts()) == 1


def test_a_group_that_is_not_live_leaves_the_index_and_a_handler_on_its_way_begins_again(parts: WatchParts) -> None:
    parts.plan(duration=60)
    # A handler that stands between putting the group into the index and its commit.
    parts.jobs.store.upsert_live(GROUP, parts.time.now, 0.0)
    before = parts.record().watch
    run(parts, seconds=OVERDUE)
    assert parts.indexed() is None
    after = parts.record().watch
    assert (before.etag, after.live) == (None, False)
    assert after.etag is not None


def test_two_timers_at_once_do_no_harm(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    parts.enqueue()
    other = parts.process()
    parts.time.sleep(parts.delay() + OVERDUE)
    overdue = list(parts.jobs.store.live())
    parts.jobs.caretaker.run()
    # The other one had read the index before.
    other.caretaker._take_up(overdue, parts.time.now, parts.time() + 45)  # noqa: SLF001 - no other way to be between
    first, second = take_follow_ups(parts)
    assert first == second
    parts.plan(duration=0)
    for _ in range(2):
        parts.follow(1)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}
    assert parts.polls() == 2


@pytest.mark.parametrize(
    ("partition", "key", "properties"),
    [
        (rows.partition_of(GROUP), WATCH_ROW, {"step": "private"}),
        (rows.partition_of(GROUP), OPEN + REQUEST_ID, {"train": "private"}),
        (rows.partition_of(GROUP), OWED + REQUEST_ID, {"event": "private"}),
        (rows.partition_of(GROUP), rows.told_key(REQUEST_ID), {"event": "private"}),
        (rows.partition_of(GROUP), "private", {"event": "private"}),
        (LIVE, rows.partition_of(GROUP), {"nextPollAt": "private"}),
        (LIVE, rows.partition_of(GROUP), {"weight": float("nan")}),
        (LIVE, "private", {}),
        (f"{ENDED}2026-10-01", "private", {"outcome": "private"}),
        (f"{ENDED}private", "private", {}),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_stops_nobody(
    parts: WatchParts, caplog: pytest.LogCaptureFixture, partition: str, key: str, properties: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO, logger="shared")
    parts.time.sleep(10 * 86_400)  # the table's own time is not the test's
    parts.plan(duration=3_600)
    parts.jobs.store.upsert_live(GROUP, parts.time.now, 0.5)
    plant(parts, partition, key, **properties)
    parts.plan(OTHER, duration=3_600)
    healthy = parts.ask(1, OTHER)
    parts.queue.clear_messages()
    run(parts, seconds=300)
    assert OTHER.group_id in {body["groupId"] for body in take_follow_ups(parts)}
    asked = parts.ask(2)
    parts.plan(duration=0)
    parts.plan(OTHER, duration=0)
    parts.step(group=OTHER)
    parts.step(seconds=1)
    assert {healthy, asked} <= set(parts.outcomes())
    assert {parts.outcomes()[each] for each in (healthy, asked)} == {"succeeded"}
    assert "private" not in caplog.text
    assert not any("private" in str(vars(record)) for record in caplog.records)


def test_a_request_joins_no_watch_that_cannot_be_read_without_a_poll(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.jobs.store.write(GROUP, parts.record().watch)
    plant(parts, rows.partition_of(GROUP), WATCH_ROW, step="private")
    parts.enqueue()
    # Else it would wait for a follow-up that nobody has sent, and the timer would not know.
    assert (parts.polls(), parts.messages(), parts.indexed() is not None) == (1, 1, True)


def test_a_group_that_fails_is_logged_and_the_others_are_served(
    parts: WatchParts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.plan(duration=3_600)
    parts.plan(OTHER, duration=3_600)
    for number, group in enumerate((GROUP, OTHER)):
        parts.ask(number, group)
    read = parts.jobs.store.read

    def fail_for_one(group: Group) -> Any:
        if group == GROUP:
            raise RuntimeError("private")
        return read(group)

    monkeypatch.setattr("shared.training.store.WatchStore.read", lambda _, group: fail_for_one(group))
    parts.queue.clear_messages()
    run(parts, seconds=300)
    assert [body["groupId"] for body in take_follow_ups(parts)] == [OTHER.group_id]
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    assert "private" not in caplog.text


def test_an_index_that_cannot_be_read_raises(parts: WatchParts) -> None:
    parts.table.delete_table()
    with pytest.raises(AzureError):
        parts.jobs.caretaker.run()
    parts.table.create_table()


def test_the_oldest_are_taken_up_first_and_a_run_ends_in_time(
    parts: WatchParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [Group(GROUP.kind, name) for name in "abc"]
    for minutes, group in zip((5, 20, 10), groups, strict=True):
        live = parts.jobs.store.upsert_live(group, parts.time.now - timedelta(minutes=minutes), 0.0)
        assert live
    taken: list[str] = []
    caretaker = parts.jobs.caretaker

    def take_long(_: object, live: Any, __: object) -> None:
        taken.append(live.group.group_id)
        parts.time.sleep(30)

    monkeypatch.setattr(type(caretaker), "_take_up_one", take_long)
    run(parts)
    assert taken == ["b", "c"]


def test_the_price_of_a_poll_is_published_from_all_weights(parts: WatchParts) -> None:
    parts.jobs = parts.process(max_tps=100)
    for name in "abc":
        parts.jobs.store.upsert_live(Group(GROUP.kind, name), parts.time.now, 100.0)
    assert parts.jobs.caretaker.budget.price() == 1.0
    run(parts)
    parts.time.sleep(6)
    # (3 * 100 / (0.95 * 100 calls a second)) ** 2
    assert parts.jobs.caretaker.budget.price() == pytest.approx(9.97, abs=0.01)


# retention


def test_what_was_told_goes_a_day_after_the_retention_and_the_watch_with_the_last_of_it(parts: WatchParts) -> None:
    parts.plan(duration=0)
    first = parts.ask(1)
    parts.time.sleep(5 * 86_400)
    second = parts.ask(2)
    parts.enqueue("My Group", inserted_at=parts.time.now)
    caretaker = parts.jobs.caretaker
    assert caretaker.retention == timedelta(days=30)
    run(parts, seconds=25.9 * 86_400)
    assert len(parts.row_keys()) == 3
    run(parts, seconds=1.1 * 86_400)
    assert parts.row_keys() == [WATCH_ROW, rows.told_key(second)]
    assert not parts.jobs.store.is_told(GROUP, first)
    run(parts, seconds=6 * 86_400)
    assert list(parts.table.list_entities()) == []


def test_a_watch_with_open_requests_is_kept(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.ask(1)
    parts.time.sleep(30 * 86_400)
    parts.plan(duration=3_600)
    parts.ask(2)
    run(parts, seconds=2 * 86_400)
    assert parts.row_keys()[0] == WATCH_ROW
    assert not any(key.startswith(TOLD) for key in parts.row_keys())
    assert len(parts.record().open) == 1


def test_a_follow_up_of_an_earlier_life_does_no_harm(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.ask(1)
    run(parts, seconds=40 * 86_400)
    assert parts.row_keys() == []
    parts.follow(1)
    parts.plan(duration=3_600)
    asked = parts.ask(2)
    parts.follow(1)
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes()[asked] == "succeeded"
    assert len(parts.outcomes()) == 2


def test_a_redelivery_within_the_life_of_a_message_is_told_no_second_time(parts: WatchParts) -> None:
    parts.plan(duration=0)
    short = parts.process(retention=timedelta(days=8))
    parts.enqueue()
    parts.time.sleep(7 * 86_400)
    short.caretaker.run()
    parts.enqueue()
    assert len(parts.texts()) == 1


def test_many_old_records_are_removed_a_thousand_a_run(parts: WatchParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.training.timer.MAX_REMOVED", 200)
    for number in range(250):
        parts.jobs.store.note_rejected(f"id-{number}", parts.time.now, "rejected", b"{}")
    day = parts.time.now
    run(parts, seconds=32 * 86_400)
    assert len(parts.row_keys(f"{ENDED}{day:%Y-%m-%d}")) == 50
    run(parts)
    assert parts.row_keys(f"{ENDED}{day:%Y-%m-%d}") == []
