"""The decisions on the budget's row."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.budget import row as rows
from shared.budget.row import BudgetRow, Slot, due, line_time, reserve, throttle

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
PACE = 4.75
NEW = BudgetRow(next_turn=NOW)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def seconds(moment: datetime) -> float:
    return (moment - NOW).total_seconds()


def test_slots_lie_evenly_from_now_on() -> None:
    row, slots = reserve(NEW, after(60), 10, 3)
    assert [seconds(slot.turn) for slot in slots] == pytest.approx([60, 60.1, 60.2])
    _, (later,) = reserve(row, after(60), 10, 1)
    assert seconds(later.turn) == pytest.approx(60.3)


def test_time_that_nobody_used_is_not_saved_for_a_burst() -> None:
    row, _ = reserve(NEW, NOW, 10, 1)
    _, slots = reserve(row, after(100), 10, 2)
    assert [seconds(slot.turn) for slot in slots] == pytest.approx([100, 100.1])


def test_a_line_of_half_an_hour_is_load_and_not_damage() -> None:
    row, slots = reserve(NEW, NOW, PACE, 10_000)
    assert seconds(slots[-1].turn) == pytest.approx(9_999 / PACE)
    assert rows.line_seconds(row, NOW) == pytest.approx(10_000 / PACE)
    assert rows.is_plausible(row, NOW)


def test_a_429_stops_the_line_and_halves_it_until_30_seconds_are_over() -> None:
    row, slots = reserve(NEW, NOW, 1, 100)
    throttled = throttle(row, slots[0], NOW, 10)
    dues = [seconds(due(throttled, slot.turn)) for slot in slots[:14]]
    slow = [10 + 2 * turn for turn in range(1, 11)]
    assert dues == pytest.approx([0, *slow, 31, 32, 33])
    assert rows.current_pace(throttled, after(29.9), 1) == 0.5
    assert rows.current_pace(throttled, after(30), 1) == 1


def test_a_429_without_a_wait_only_halves() -> None:
    _, (slot,) = reserve(NEW, NOW, 10, 1)
    throttled = throttle(NEW, slot, NOW, None)
    assert seconds(due(throttled, after(1))) == pytest.approx(2)


def test_all_429s_of_one_episode_halve_once() -> None:
    row, slots = reserve(NEW, NOW, PACE, 7)
    first = throttle(row, slots[0], NOW, 6)
    for slot in slots[1:]:
        moment = due(first, slot.turn)
        assert throttle(first, slot, moment, 6) is first
    assert max(seconds(due(first, slot.turn)) for slot in slots) < 1.5 * 6 + 2


def test_a_429_after_a_halving_has_shown_its_effect_halves_again_but_stops_nobody() -> None:
    row, slots = reserve(NEW, NOW, PACE, 100)
    first = throttle(row, slots[0], NOW, 1)
    late_slot = slots[20]
    moment = due(first, late_slot.turn)
    second = throttle(first, late_slot, moment, 6)
    assert rows.current_pace(second, moment, PACE) == PACE / 4
    assert due(second, late_slot.turn + timedelta(seconds=1)) == moment + timedelta(seconds=4)
    assert rows.current_pace(second, moment + timedelta(seconds=30), PACE) == PACE


def test_429s_without_end_leave_an_eighth_of_the_pace() -> None:
    row, moment = NEW, NOW
    for _ in range(20):
        row, (slot,) = reserve(row, moment, PACE, 1)
        moment = max(moment, due(row, slot.turn)) + timedelta(seconds=5)
        row = throttle(row, slot, moment, 1)
    assert rows.current_pace(row, moment, PACE) >= PACE / 8


def test_a_wait_of_a_day_stops_the_others_for_a_minute() -> None:
    row, slots = reserve(NEW, NOW, 1, 3)
    assert seconds(due(throttle(row, slots[0], NOW, 86_400), slots[1].turn)) == pytest.approx(61)


def test_an_empty_line_at_full_pace_shows_the_storages_time_again() -> None:
    row, (slot,) = reserve(NEW, NOW, 1, 1)
    row = throttle(row, slot, NOW, 10)
    assert line_time(row, after(60)) == after(40)
    row, (slot,) = reserve(row, after(60), 1, 1)
    assert slot.turn == after(60) == line_time(row, after(60))


@given(
    st.floats(min_value=0.3, max_value=50),
    st.lists(
        st.tuples(st.floats(min_value=0, max_value=40), st.integers(1, 5), st.booleans(), st.floats(0, 70)), max_size=30
    ),
)
def test_no_two_slots_are_due_nearer_than_the_pace_allows_and_a_429_changes_no_order(
    pace: float, steps: list[tuple[float, int, bool, float]]
) -> None:
    row, moment = NEW, NOW
    waiting: list[Slot] = []
    called: list[datetime] = []
    for idle, count, throttled, wait in steps:
        row, slots = reserve(row, moment, pace, count)
        waiting += slots
        moment += timedelta(seconds=idle)
        dues = [due(row, slot.turn) for slot in waiting]
        gone = sum(one <= moment for one in dues)
        called += dues[:gone]
        waiting = waiting[gone:]
        if throttled and gone:
            row = throttle(row, slots[0], moment, wait)
            assert all(due(row, slot.turn) >= moment - timedelta(microseconds=10) for slot in waiting)
    called += [due(row, slot.turn) for slot in waiting]
    assert all(seconds(later) - seconds(earlier) >= 1 / pace - 1e-4 for earlier, later in pairwise(called))


@given(st.floats(0, 100), st.integers(1, 3), st.floats(0, 60), st.floats(0, 100))
def test_a_slot_is_due_when_the_lines_clock_shows_its_turn(
    lag: float, halvings: int, hold: float, ahead: float
) -> None:
    row = BudgetRow(next_turn=NOW, lag=lag, halved_at=NOW, held_until=after(hold), halvings=halvings)
    turn = after(ahead - lag)
    assert abs(line_time(row, due(row, turn)) - turn) <= timedelta(microseconds=10)


def test_a_slot_that_was_missed_in_an_outage_is_void_and_one_that_a_hold_put_off_is_not() -> None:
    row, (slot,) = reserve(NEW, NOW, 1, 1)
    assert not rows.is_void(row, slot, after(5), 1)
    assert rows.is_void(row, slot, after(6), 1)
    held = throttle(row, slot, NOW, 60)
    assert not rows.is_void(held, slot, after(60), 1)


def test_a_snapshot_keeps_the_line_shorter_than_half_a_second() -> None:
    row, first = rows.reserve_chunk(NEW, NOW, 10)
    assert len(first) == 5
    row, none = rows.reserve_chunk(row, after(0.2), 10)
    assert none == []
    row, more = rows.reserve_chunk(row, after(0.3), 10)
    assert rows.line_seconds(row, after(0.3)) <= 0.5
    assert [seconds(slot.turn) for slot in more] == pytest.approx([0.5, 0.6, 0.7])


def test_a_snapshot_takes_one_slot_at_a_time_from_a_slow_budget() -> None:
    row, slots = rows.reserve_chunk(NEW, NOW, 0.3)
    assert len(slots) == 1
    assert rows.reserve_chunk(row, NOW, 0.3)[1] == []


def test_a_snapshot_waits_while_polls_wait_and_says_so_twice_a_minute() -> None:
    row, _ = reserve(NEW, NOW, 10, 1_000)
    waiting, slots = rows.reserve_chunk(row, NOW, 10)
    assert (slots, waiting.bulk_at) == ([], NOW)
    assert rows.reserve_chunk(waiting, after(29), 10)[0] is waiting
    assert rows.reserve_chunk(waiting, after(31), 10)[0].bulk_at == after(31)


def test_the_price_is_the_one_at_which_all_schedules_fit_the_pace() -> None:
    weight, watches = 0.03, 10_000
    row = rows.publish_price(NEW, NOW, PACE, weight * watches)
    polls_a_second = watches * weight / rows.price(row, NOW, 1) ** 0.5
    assert polls_a_second == pytest.approx(PACE)


def test_a_price_is_never_below_what_a_poll_is_worth_and_ends_when_the_timer_stops() -> None:
    assert rows.price(NEW, NOW, 1.5) == 1.5
    assert rows.price(rows.publish_price(NEW, NOW, PACE, 0.1), NOW, 1.5) == 1.5
    dear = rows.publish_price(NEW, NOW, PACE, 100)
    assert rows.price(dear, after(299), 1.5) > 400
    assert rows.price(dear, after(300), 1.5) == 1.5


def test_polls_leave_a_tenth_of_the_pace_to_a_snapshot_that_waits() -> None:
    row, _ = reserve(NEW, NOW, PACE, 1_000)
    row, _ = rows.reserve_chunk(row, NOW, PACE)
    priced = rows.publish_price(row, NOW, PACE, 100)
    assert 100 / priced.price**0.5 == pytest.approx(0.9 * PACE)


def test_a_halved_pace_makes_polls_dearer() -> None:
    throttled = throttle(NEW, Slot(NOW), NOW, None)
    assert rows.publish_price(throttled, NOW, PACE, 100).price == pytest.approx((100 / (PACE / 2)) ** 2)


@pytest.mark.parametrize(
    "damage",
    [
        {"next_turn": after(86_401)},
        {"held_until": after(3_600)},
        {"halved_at": after(3_600)},
        {"priced_at": after(3_600)},
        {"bulk_at": after(3_600)},
        {"next_turn": datetime.max.replace(tzinfo=UTC)},
        {"halved_at": datetime.min.replace(tzinfo=UTC)},
    ],
)
def test_a_row_with_a_time_far_away_is_not_of_our_own_writing(damage: dict[str, datetime]) -> None:
    assert rows.is_plausible(NEW, NOW)
    assert not rows.is_plausible(msgspec.structs.replace(NEW, **damage), NOW)
