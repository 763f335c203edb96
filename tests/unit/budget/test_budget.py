"""The budget of one process, and of several that share a row."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier, Event

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.budget.budget import MAX_WAIT_SECONDS
from shared.budget.row import Slot
from tests.unit.budget.conftest import HOST, App, Time


def turns(*slots: Slot) -> list[float]:
    """Return how far each slot is from the first one, in seconds."""
    return [(slot.turn - slots[0].turn).total_seconds() for slot in slots]


def test_processes_share_one_line(app: App) -> None:
    first, second = app.budget(), app.budget()
    slots = [budget.take() for budget in (first, second, second, first)]
    assert turns(*slots) == pytest.approx([0, 0.1, 0.2, 0.3])


def test_19_of_20_calls_are_given_out(app: App) -> None:
    budget = app.budget(max_tps=20 / 60)  # F0 allows 20 calls a minute
    assert turns(budget.take(), budget.take())[1] == pytest.approx(60 / 19)


def test_threads_that_wait_are_served_by_one_reservation(app: App) -> None:
    budget = app.budget()
    budget.take()
    reserving, go_on = Event(), Event()

    def hold_the_first_write() -> None:
        reserving.set()
        go_on.wait(30)

    writes = app.table.writes
    with ThreadPoolExecutor(17) as threads:
        app.table.before = hold_the_first_write
        leader = threads.submit(budget.take)
        reserving.wait(30)
        others = [threads.submit(budget.take) for _ in range(16)]
        while len(budget._callers) < 17:  # noqa: SLF001 - nothing else tells that they wait
            pass
        go_on.set()
        slots = [future.result() for future in (leader, *others)]
    assert app.table.writes - writes == 2
    assert sorted(turns(*slots)) == pytest.approx([number / 10 for number in range(17)])


def test_no_slot_is_given_to_two(app: App) -> None:
    budgets = [app.budget() for _ in range(4)]
    barrier = Barrier(16)

    def take_many(number: int) -> list[Slot]:
        barrier.wait()
        return [budgets[number % 4].take() for _ in range(25)]

    with ThreadPoolExecutor(16) as threads:
        slots = sorted((slot for taken in threads.map(take_many, range(16)) for slot in taken), key=lambda s: s.turn)
    gaps = [(later.turn - earlier.turn).total_seconds() for earlier, later in pairwise(slots)]
    assert len(slots) == 400
    assert min(gaps) > 0.0999


def test_a_slot_is_waited_for(app: App, time: Time) -> None:
    budget = app.budget()
    budget.take()
    slot = budget.take()
    before = time.now
    assert budget.wait(slot)
    assert time.now - before == pytest.approx(0.1)
    assert budget.seconds_until(slot) == 0


def test_a_slot_that_is_far_away_is_kept_for_later(app: App, time: Time) -> None:
    first, second = app.budget(1), app.budget(1)
    slot = [first.take() for _ in range(6)][-1]
    assert not first.wait(slot)
    assert time.sleeps == []
    away = first.seconds_until(slot)
    assert away > MAX_WAIT_SECONDS
    time.now += away - 1
    assert second.take(slot) is slot
    assert second.wait(slot)
    assert time.sleeps == pytest.approx([1.0])


def test_calls_that_come_too_late_are_let_in_one_by_one_before_the_next_slot(app: App, time: Time) -> None:
    budget = app.budget()
    kept = [budget.take() for _ in range(3)]
    following = [budget.take() for _ in range(10)][-1]
    time.now += 1
    moments: list[float] = []
    for slot in kept:
        time.now -= sum(moments[-1:])  # all three come at the same moment
        before = time.now
        assert budget.take(slot) is slot
        assert budget.wait(slot)
        moments.append(time.now - before)
    assert moments == pytest.approx([0, 0.1, 0.2])
    time.now += 0.1
    assert budget.seconds_until(following) == pytest.approx(0.2)


def test_calls_that_all_come_far_too_late_go_to_the_end_of_the_line(app: App, time: Time) -> None:
    budget = app.budget(1)
    kept = [budget.take() for _ in range(100)]
    time.now += 3_600
    assert [budget.take(slot) is slot for slot in kept[:6]].count(True) >= 1
    app.budget(1).throttled(budget.take(), 50)
    assert budget.take(kept[50]) not in kept


def test_a_call_joins_a_long_line_before_it_is_due_and_a_short_one_when_it_is(app: App) -> None:
    budget = app.budget(1)
    for _ in range(10):
        budget.take()
    assert budget.take_ahead(60) is None
    ahead = budget.take_ahead(5)
    assert ahead is not None
    assert budget.seconds_until(ahead) == pytest.approx(10 / 0.95)


def test_a_429_that_one_process_was_told_puts_off_the_slots_of_all(app: App, time: Time) -> None:
    first, second = app.budget(), app.budget()
    slot, waiting = first.take(), second.take()
    first.throttled(slot, 6)
    time.now += 1
    assert not second.wait(waiting)
    assert second.seconds_until(waiting) == pytest.approx(5 + 0.2)


def test_a_429_that_comes_while_a_slot_is_waited_for_puts_it_off(app: App, time: Time) -> None:
    first, second = app.budget(1), app.budget(1)
    slot, waiting = first.take(), first.take()
    time.during_sleep = lambda: first.throttled(slot, 2)
    before = time.now
    assert second.wait(waiting)
    assert time.now - before > 2


def test_a_slow_read_does_not_bring_back_what_a_write_has_changed_since(app: App, time: Time) -> None:
    budget = app.budget()
    slot, kept = budget.take(), budget.take()
    time.now += 1

    def be_throttled_meanwhile() -> None:
        app.table.after = lambda: None
        time.now += 0.01
        budget.throttled(slot, 6)

    app.table.after = be_throttled_meanwhile
    assert budget.seconds_until(Slot(kept.turn + timedelta(seconds=10))) > 6 + 10
    assert budget.seconds_until(Slot(kept.turn + timedelta(seconds=10))) > 6 + 10


def test_a_429_counts_although_this_process_has_not_seen_the_row_for_long(app: App, time: Time) -> None:
    first, second = app.budget(), app.budget()
    slot = first.take()
    first.throttled(slot, None)
    time.now += 60
    second.take()
    first.throttled(slot, 6)
    assert second.wait(second.take()) is False


def test_the_pace_is_whole_again_30_seconds_after_a_429(app: App, time: Time) -> None:
    budget = app.budget()
    budget.throttled(budget.take(), 1)
    time.now += 30
    assert turns(budget.take(), budget.take())[1] == pytest.approx(0.1)


@pytest.mark.parametrize(("max_tps", "wait"), [(10, 2), (5, 6), (5, 26), (5, 50)])
def test_seven_groups_that_are_told_to_wait_are_called_again_in_time(
    app: App, time: Time, max_tps: float, wait: float
) -> None:
    budgets = [app.budget(max_tps) for _ in range(7)]
    told = []
    for budget, slot in [(budget, budget.take()) for budget in budgets]:
        time.now += budget.seconds_until(slot)
        told.append(time.now)
        budget.throttled(slot, wait)
    for budget, told_at in zip(budgets, told, strict=True):
        time.now = max(time.now, told_at + wait)
        time.now += budget.seconds_until(budget.take())
        assert wait <= time.now - told_at <= 1.5 * wait + 2


def test_a_clock_that_is_wrong_is_set_by_the_first_reservation(app: App, time: Time) -> None:
    for ahead in (-0.2, 0.2):
        budget = app.budget(ahead=ahead)
        budget.take()
        assert budget.clock().timestamp() == pytest.approx(time.now, abs=1e-5)


def test_the_price_is_what_the_timer_published(app: App, time: Time) -> None:
    timer, process = app.budget(5), app.budget(5)
    assert process.price() == 1.0
    timer.publish_price(300 * 0.1)
    time.now += 5.1
    assert process.price() == pytest.approx((30 / 4.75) ** 2)


def test_a_process_goes_on_alone_with_a_quarter_and_comes_back(
    app: App, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    budget = app.budget()
    budget.take()

    def fail() -> None:
        raise ServiceRequestError("my-group")

    app.table.before = fail
    with caplog.at_level(logging.WARNING):
        assert turns(*(budget.take() for _ in range(5)))[1:] == pytest.approx([0.4, 0.8, 1.2, 1.6])
        budget.publish_price(1)
        budget.throttled(budget.take(), 1)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ServiceRequestError" in caplog.text
    assert "my-group" not in caplog.text
    app.table.before = lambda: None
    writes = app.table.writes
    time.now += 14
    budget.take()
    assert app.table.writes == writes
    time.now += 2
    slots = budget.take(), budget.take()
    assert app.table.writes == writes + 2
    assert turns(*slots)[1] == pytest.approx(0.1)


def test_a_write_whose_answer_was_lost_gives_no_slot_to_two(app: App) -> None:
    first, second = app.budget(), app.budget()
    first.take()
    lost = iter([None, ServiceRequestError("no response")])

    def lose() -> None:
        if error := next(lost, None):
            raise error

    app.table.after = lose
    slot = second.take()
    assert turns(slot, first.take())[1] >= 0.1


@pytest.mark.parametrize(
    "damage",
    [
        {"nextTurn": "soon"},
        {"nextTurn": None},
        {"price": float("nan")},
        {"halvings": -1},
        {"halvings": 99},
        {"price": "dear"},
        {"fullFrom": "9999-12-31T00:00:00Z"},
        {"nextTurn": "2020-01-01T00:00:00"},
    ],
)
def test_a_row_that_somebody_broke_is_named_in_the_log_and_replaced(
    app: App, time: Time, caplog: pytest.LogCaptureFixture, damage: dict[str, object]
) -> None:
    budget = app.budget()
    budget.take()
    key = ("budget", HOST)
    row, etag = app.table.rows[key]
    app.table.rows[key] = ({**row, **damage}, etag.replace("Z", "9Z"))
    time.now += 1
    with caplog.at_level(logging.ERROR):
        slot = budget.take()
    assert f"budget/{HOST}" in caplog.text
    assert slot.turn.timestamp() == pytest.approx(time.now)
    caplog.clear()
    budget.take()
    assert caplog.text == ""


def test_a_lost_race_is_begun_again_after_a_pause(app: App, time: Time) -> None:
    first, second = app.budget(), app.budget()
    first.take()
    second.take()
    raced = iter([True, True, True])

    def race() -> None:
        app.table.after = lambda: None
        if next(raced, None):
            second.take()
            app.table.after = race

    app.table.after = race
    slot = first.take()
    assert app.table.lost_races > 0
    assert time.sleeps
    assert turns(slot, second.take())[1] >= 0.1
