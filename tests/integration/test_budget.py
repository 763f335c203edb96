"""The budget's row in Azurite's table, and in the double that stands in for it where time is simulated."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from azure.data.tables import TableClient

from shared.budget.budget import Budget
from shared.budget.bulk import BulkSlots
from shared.budget.row import BudgetRow, Slot
from shared.budget.store import BudgetStore, LostRace, Stored, stamp_of
from shared.storage import Storage
from tests.support.doubles.stamped_table import StampedTable

HOST = "my.cognitiveservices.azure.com"
NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
FULL = BudgetRow(
    next_turn=NOW + timedelta(seconds=100),
    lag=1.25,
    halved_at=NOW,
    held_until=NOW + timedelta(seconds=6),
    halvings=2,
    price=2.0,
    priced_at=NOW - timedelta(seconds=1),
    bulk_at=NOW - timedelta(seconds=2),
)


@pytest.fixture(params=["azurite", "double"])
def table(request: pytest.FixtureRequest) -> Any:
    if request.param == "double":
        return StampedTable(time.time)
    storage: Storage = request.getfixturevalue("storage")
    return storage.watch_table


@pytest.fixture
def store(table: TableClient) -> BudgetStore:
    return BudgetStore(table, HOST)


def test_a_row_that_is_not_there_is_a_new_one(store: BudgetStore) -> None:
    stored = store.read(NOW)
    assert (stored.row, stored.etag) == (BudgetRow(next_turn=NOW), None)


def test_a_row_comes_back_as_it_was_written(store: BudgetStore) -> None:
    etag = store.write(BudgetRow(next_turn=NOW), None)
    assert store.read(NOW) == Stored(BudgetRow(next_turn=NOW), etag)
    etag = store.write(FULL, etag)
    assert store.read(NOW) == Stored(FULL, etag)


def test_of_two_that_read_the_same_row_one_writes(store: BudgetStore) -> None:
    etag = store.write(BudgetRow(next_turn=NOW), None)
    with pytest.raises(LostRace):
        store.write(FULL, None)
    store.write(FULL, etag)
    with pytest.raises(LostRace):
        store.write(BudgetRow(next_turn=NOW), etag)


def test_an_etag_tells_when_the_storage_wrote(store: BudgetStore) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # Azurite's clock has milliseconds
    stamp = stamp_of(store.write(FULL, None))
    assert stamp is not None
    assert before <= stamp <= datetime.now(UTC) + timedelta(milliseconds=1)


def test_an_etag_of_another_form_tells_no_time() -> None:
    assert stamp_of('W/"1"') is None


def test_a_row_lies_where_it_is_documented_to_lie(store: BudgetStore, table: TableClient) -> None:
    store.write(FULL, None)
    assert table.get_entity("budget", HOST)["halvings"] == 2


@pytest.mark.parametrize("damage", [{"lag": float("nan")}, {"halvings": "two"}, {"nextTurn": "2099-01-01T00:00:00Z"}])
def test_a_row_that_somebody_broke_is_replaced(
    store: BudgetStore, table: TableClient, caplog: pytest.LogCaptureFixture, damage: dict[str, Any]
) -> None:
    table.create_entity({"PartitionKey": "budget", "RowKey": HOST, "nextTurn": NOW, **damage})
    with caplog.at_level(logging.ERROR):
        replacement = store.read(NOW)
    assert f"budget/{HOST}" in caplog.text
    store.write(replacement.row, replacement.etag)
    assert store.read(NOW).row == BudgetRow(next_turn=NOW)


def budgets(storage: Storage, count: int, *, max_tps: float) -> list[Budget]:
    """Return budgets as so many processes have them."""
    return [Budget(BudgetStore(storage.watch_table, HOST), max_tps=max_tps, poll_worth=1.0) for _ in range(count)]


def in_threads[T](count: int, work: Callable[[int], T]) -> list[T]:
    """Return what so many threads come to at once."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))


def test_no_slot_is_given_to_two_processes(storage: Storage) -> None:
    of_processes = budgets(storage, 4, max_tps=100)
    taken = in_threads(16, lambda number: [of_processes[number % 4].take() for _ in range(10)])
    turns = sorted(slot.turn for slots in taken for slot in slots)
    assert len(turns) == 160
    assert min(later - earlier for earlier, later in pairwise(turns)) > timedelta(seconds=0.99 / 95)


def test_calls_are_made_no_faster_than_the_budget_allows(storage: Storage) -> None:
    of_processes = budgets(storage, 2, max_tps=20)

    def call(number: int) -> list[float]:
        moments = []
        for _ in range(5):
            slot = of_processes[number % 2].take()
            assert of_processes[number % 2].wait(slot)
            moments.append(time.monotonic())
        return moments

    moments = sorted(moment for made in in_threads(8, call) for moment in made)
    assert moments[-1] - moments[0] > 0.95 * 39 / 19


def test_a_poll_gets_its_slot_within_a_second_while_a_snapshot_lists(storage: Storage) -> None:
    of_polls, of_snapshot = budgets(storage, 2, max_tps=10)
    bulk = BulkSlots(of_snapshot)
    waits = []

    def work(number: int) -> int:
        made = 0
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if number == 0:
                slot = of_polls.take()
                waits.append(of_polls.seconds_until(slot))
                of_polls.wait(slot)
                time.sleep(0.2)
            elif bulk.take(patience=1) is not None:
                made += 1
        return made

    made = sum(in_threads(8, work))
    assert max(waits) < 1
    assert made + len(waits) > 0.75 * 50


def test_a_429_reaches_the_other_process(storage: Storage) -> None:
    first, second = budgets(storage, 2, max_tps=10)
    slot: Slot = first.take()
    kept = [second.take() for _ in range(3)][-1]
    first.throttled(slot, 30)
    time.sleep(0.6)
    assert second.seconds_until(kept) > 29
    assert not second.wait(kept)
