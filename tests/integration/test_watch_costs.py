"""How many calls of the storage, and rows of it, polls and requests cost; the budget's row is counted by itself."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.training import rows
from shared.training.record import Watch
from shared.training.rows import OPEN, TOLD, WATCH_ROW
from tests.support.builders import GROUP, message
from tests.support.recorded_transport import Call
from tests.support.watch_parts import WatchParts


def without_events(calls: list[Call]) -> list[Call]:
    """Return the calls but for those that send events."""
    return [call for call in calls if "/results-" not in call.path]


def rows_read(calls: list[Call]) -> list[str]:
    return [key for call in calls for key in call.keys]


def put_history(parts: WatchParts, count: int) -> None:
    """Put a watch on record that has ended, and so many requests of the group that were told."""
    parts.jobs.store.write(GROUP, Watch())
    for first in range(0, count, 100):
        requests = [f"20261110T100000Z-{number}" for number in range(first, min(first + 100, count))]
        entities = [
            {"PartitionKey": rows.partition_of(GROUP), "RowKey": rows.told_key(each), "event": b"{}"}
            for each in requests
        ]
        parts.table.submit_transaction([("create", each) for each in entities])


@pytest.fixture
def parts_with_history(parts: WatchParts) -> WatchParts:
    put_history(parts, 500)
    return parts


def test_a_poll_that_goes_on_costs_four_calls_and_reads_no_history(parts_with_history: WatchParts) -> None:
    parts = parts_with_history
    parts.plan(duration=3_600)
    asked = [parts.ask(number) for number in range(3)]
    calls = parts.calls_of(lambda: parts.follow(1))
    assert len(calls) == 4
    assert rows_read(calls) == [WATCH_ROW, *(OPEN + each for each in asked)]


@pytest.mark.parametrize("requests", [1, 49])
def test_a_poll_that_ends_costs_seven_calls_and_the_events_and_reads_no_history(
    parts_with_history: WatchParts, requests: int
) -> None:
    parts = parts_with_history
    parts.plan(duration=3_600)
    for number in range(requests):
        parts.ask(number)
    parts.plan(duration=0)
    calls = parts.calls_of(lambda: parts.follow(1))
    moves = 2 if requests > 40 else 1
    assert len(without_events(calls)) == 5 + moves <= 7
    assert len(calls) - len(without_events(calls)) == requests
    assert not any(key.startswith(TOLD) for key in rows_read(calls))
    assert len(parts.outcomes()) == requests


def test_a_request_costs_five_calls_where_it_polls_and_three_where_it_joins(parts_with_history: WatchParts) -> None:
    parts = parts_with_history
    parts.plan(duration=3_600)
    assert len(parts.calls_of(lambda: parts.ask(1))) == 5
    calls = parts.calls_of(lambda: parts.ask(2))
    assert len(calls) == 3
    assert len(rows_read(calls)) == 2
    again = parts.calls_of(lambda: parts.ask(2))
    assert len(again) == 1  # a redelivery


def test_the_first_request_of_a_group_looks_for_no_past(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    assert len(parts.calls_of(lambda: parts.ask(1))) == 4


def test_a_redelivered_request_that_was_told_costs_two_calls(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.ask(1)
    calls = parts.calls_of(lambda: parts.ask(1))
    assert len(calls) == 2


def test_a_cancel_costs_five_calls_and_its_event(parts_with_history: WatchParts) -> None:
    parts = parts_with_history
    parts.plan(duration=3_600)
    asked = parts.ask(1)
    calls = parts.calls_of(lambda: parts.jobs.canceller.cancel(GROUP, asked))
    assert len(without_events(calls)) == 5
    assert not any(key.startswith(TOLD) for key in rows_read(calls))


def test_a_quiet_minute_of_the_timer_reads_the_rows_of_live_groups_alone(parts_with_history: WatchParts) -> None:
    parts = parts_with_history
    for number in range(20):
        parts.jobs.store.note_rejected(f"id-{number}", parts.time.now, "rejected", b"{}")
    parts.plan(duration=3_600)
    parts.ask(1)
    calls = parts.calls_of(parts.jobs.caretaker.run)
    assert len(calls) == 2
    assert rows_read(calls) == [rows.partition_of(GROUP)]


def test_no_request_reads_those_that_ended_before_it(parts: WatchParts) -> None:
    parts.plan(duration=0)
    for number in range(50):
        calls = parts.calls_of(lambda number=number: parts.ask(number))  # type: ignore[misc]
        assert len(rows_read(calls)) <= 1
    assert len(parts.outcomes()) == 50


def test_four_hundred_requests_at_once_are_read_together(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    parts.ask(0)

    def all_at_once() -> None:
        with ThreadPoolExecutor(16) as threads:
            list(
                threads.map(
                    lambda number: parts.jobs.watcher.handle(message("my-group", message_id=str(number))), range(400)
                )
            )

    calls = parts.calls_of(all_at_once)
    assert len(parts.record().open) == 401
    # Each at a time would read 80,000 rows.
    assert len(rows_read(calls)) <= 20_000
    assert (parts.polls(), parts.messages()) == (1, 1)
