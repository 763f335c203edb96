"""The slots of a snapshot's calls, beside polls."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.budget.bulk import BulkSlots
from tests.unit.budget.conftest import App, Time


@pytest.fixture
def bulk(app: App) -> BulkSlots:
    return BulkSlots(app.budget(), app.machine())


def test_a_snapshot_alone_uses_the_whole_budget(bulk: BulkSlots, time: Time) -> None:
    began = time.now
    for _ in range(101):
        assert bulk.take(patience=5)
    assert time.now - began == pytest.approx(10, abs=0.2)


def test_no_poll_waits_a_second_while_a_snapshot_lists(app: App, bulk: BulkSlots) -> None:
    polls = app.budget()
    for _ in range(200):
        bulk.take(patience=5)
        slot = polls.take()
        assert polls.seconds_until(slot) < 1
        polls.wait(slot)


def test_a_snapshot_waits_while_polls_wait(app: App, bulk: BulkSlots, time: Time) -> None:
    polls = app.budget()
    for _ in range(100):
        polls.take()
    began = time.now
    assert bulk.take(patience=5) is None
    assert time.now - began <= 5
    assert 4 < bulk.keep() < 10
    slot = bulk.take(patience=10)
    assert slot is not None
    assert time.now - began == pytest.approx(10, abs=0.3)


def test_a_hold_makes_a_snapshot_wait_and_costs_it_no_slot(app: App, bulk: BulkSlots, time: Time) -> None:
    slot = bulk.take(patience=5)
    assert slot is not None
    app.budget().throttled(slot, 20)
    time.now += 1
    assert bulk.take(patience=5) is None
    began = time.now
    following = bulk.take(patience=30)
    assert following is not None
    assert (following.turn - slot.turn).total_seconds() == pytest.approx(0.1)
    assert time.now - began == pytest.approx(14.2, abs=0.1)


def test_a_chunk_that_was_left_over_is_not_used_later(bulk: BulkSlots, time: Time) -> None:
    bulk.take(patience=5)
    time.now += 3_600
    slot = bulk.take(patience=5)
    assert slot is not None
    assert slot.turn.timestamp() == pytest.approx(time.now)


def test_threads_share_a_chunk(bulk: BulkSlots) -> None:
    with ThreadPoolExecutor(8) as threads:
        slots = list(threads.map(lambda _: bulk.take(patience=60), range(40)))
    assert None not in slots
    assert len(set(slots)) == 40
