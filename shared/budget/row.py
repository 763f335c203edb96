"""The budget's row, and all that is decided on it. Pure.

All processes share one line of slots. A slot is a moment on the line's own clock, its *turn*. While nobody is
throttled, that clock shows the storage's time. A 429 stops it for as long as the service asks; then it runs at half
its speed, and 30 s after the 429 at full speed again. So a 429 puts off every slot that is still to come, also the
slot of a watch that lies in the queue for half an hour, and all keep their order. Whoever has a slot asks the row when
it is due. Who comes too late for a slot is let in before the next one, and the clock stops for that one call. Once the
line is empty and the pace is full again, the line's clock is set to the storage's time.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

GIVEN_OUT = 0.95
"""The share of ``FACE_MAX_TPS`` that is given out; the rest is for clocks and networks that are not exact."""
RECOVERY_SECONDS = 30.0
"""The full pace is back so long after the last halving."""
MAX_HALVINGS = 3
"""A service that throttles even an eighth of the budget is used up by others; less of ours would not help it."""
MAX_HOLD_SECONDS = 60.0
"""The longest that a 429 stops all calls: the service counts by the minute at most. A group may wait longer."""
EPISODE_SECONDS = 2.0
"""A 429 for a slot of the first so many seconds after a halving (by the line's clock) is of the same episode."""
MAX_PASSED = 5
"""A slot is missed once so many later ones have passed: else all slots of an outage would be used at once after it."""
MAX_LET_IN_SECONDS = 1.0
"""Of the calls that have missed their slots, so much of the line's time is let in at once."""
CHUNK_SECONDS = 0.5
"""A snapshot's calls make the line at most this long."""
TELL_SECONDS = 30.0
"""A snapshot that waits for polls puts that on record this often."""
MAX_LINE_SECONDS = 86_400.0
"""A line longer than this is damage, not load: 400,000 watches at the default budget make one of a day."""

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a moment that has not come yet in the row's life; a table takes dates from 1601 on."""

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Slot(msgspec.Struct, frozen=True):
    """The right to make one call."""

    turn: Moment  # when the call may be made, by the line's clock (UTC); the budget says when that is


class BudgetRow(msgspec.Struct, frozen=True, rename="camel"):
    """What all processes share.

    The line's clock shows ``stopped_turn`` until ``runs_from``, runs slower until ``full_from``, then as any clock.
    """

    next_turn: Moment  # the turn of the next free slot
    stopped_turn: Moment = NEVER
    runs_from: Moment = NEVER
    full_from: Moment = NEVER
    halvings: Annotated[int, msgspec.Meta(ge=0, le=MAX_HALVINGS)] = 0  # of the clock's speed, until ``full_from``
    halved_turn: Moment = NEVER  # what the line's clock showed at the last halving
    price: Annotated[float, msgspec.Meta(ge=0, le=1e12)] = 0.0  # seconds of lateness that one poll is worth
    priced_at: Moment = NEVER
    bulk_at: Moment = NEVER  # when a snapshot last took slots, or waited for some


def line_time(row: BudgetRow, now: datetime) -> datetime:
    """Return what the line's clock shows."""
    slow = max(0.0, _seconds(min(now, row.full_from), row.runs_from))
    full = max(0.0, _seconds(now, row.full_from))
    return row.stopped_turn + timedelta(seconds=slow * _share(row) + full)


def due(row: BudgetRow, turn: datetime) -> datetime:
    """Return when the line's clock will show a turn, if nobody is throttled meanwhile; a past moment where it has."""
    if turn < row.stopped_turn:
        return turn
    ahead = _seconds(turn, row.stopped_turn)
    slow = _seconds(row.full_from, row.runs_from) * _share(row)
    if ahead <= slow:
        return row.runs_from + timedelta(seconds=ahead / _share(row))
    return row.full_from + timedelta(seconds=ahead - slow)


def line_seconds(row: BudgetRow, now: datetime) -> float:
    """Return how far away the next free slot is, in seconds."""
    return max(0.0, _seconds(due(row, row.next_turn), now))


def is_missed(row: BudgetRow, slot: Slot, now: datetime, pace: float) -> bool:
    """Tell whether too many later slots have passed. ``pace`` is the full one, in calls a second."""
    return _seconds(line_time(row, now), slot.turn) * pace > MAX_PASSED


def reserve(row: BudgetRow, now: datetime, pace: float, count: int) -> tuple[BudgetRow, list[Slot]]:
    """Take the next ``count`` free slots."""
    if row.next_turn <= line_time(row, now):
        if row.full_from <= now:
            row = msgspec.structs.replace(
                row, stopped_turn=NEVER, runs_from=NEVER, full_from=NEVER, halvings=0, halved_turn=NEVER
            )
        row = msgspec.structs.replace(row, next_turn=line_time(row, now))
    turns = [row.next_turn + timedelta(seconds=number / pace) for number in range(count + 1)]
    return msgspec.structs.replace(row, next_turn=turns.pop()), [Slot(turn) for turn in turns]


def let_in(row: BudgetRow, now: datetime, pace: float) -> tuple[BudgetRow, float | None]:
    """Let in a call that has missed its slot; return in how many seconds it may be made, None where it cannot wait.

    The line's clock stops for one slot, so the call takes the time of no other, and several are let in one by one.
    """
    moment = max(now, row.runs_from)
    if _seconds(moment, now) > MAX_LET_IN_SECONDS:
        return row, None
    runs_from = moment + timedelta(seconds=1 / current_pace(row, moment, pace))
    stopped = msgspec.structs.replace(
        row,
        stopped_turn=line_time(row, now),
        runs_from=runs_from,
        full_from=max(row.full_from, runs_from),
        halvings=0 if row.full_from <= now else row.halvings,
    )
    return stopped, _seconds(moment, now)


def reserve_chunk(row: BudgetRow, now: datetime, pace: float) -> tuple[BudgetRow, list[Slot]]:
    """Take free slots for a snapshot: none while the line is long, and else few enough to keep it short.

    The last ones may still be in the line when the next ones are taken, so that no time is lost in between.
    """
    waiting = line_seconds(row, now)
    if waiting > CHUNK_SECONDS / 2:
        slots: list[Slot] = []
        if _seconds(now, row.bulk_at) < TELL_SECONDS:
            return row, slots  # that a snapshot waits is on record
    else:
        row, slots = reserve(row, now, pace, max(1, int((CHUNK_SECONDS - waiting) * current_pace(row, now, pace))))
    return msgspec.structs.replace(row, bulk_at=now), slots


def throttle(row: BudgetRow, slot: Slot, now: datetime, wait: float | None) -> BudgetRow:
    """Halve the pace after the 429 for a slot's call; ``wait`` is what the service asked for, in seconds.

    A 429 of the same episode as the last one brings no news. A later one halves again, but only one that ends a time
    at full pace stops all calls: else seven groups that are told to wait, one after the other, would each wait for all.
    """
    if _seconds(slot.turn, row.halved_turn) < EPISODE_SECONDS:
        return row
    again = now < row.full_from and row.halvings > 0
    hold = 0.0 if again else min(wait or 0.0, MAX_HOLD_SECONDS)
    turn = line_time(row, now)
    runs_from = max(row.runs_from, now + timedelta(seconds=hold))
    return msgspec.structs.replace(
        row,
        stopped_turn=turn,
        runs_from=runs_from,
        full_from=max(runs_from, now + timedelta(seconds=RECOVERY_SECONDS)),
        halvings=min(MAX_HALVINGS, row.halvings + 1) if again else 1,
        halved_turn=turn,
    )


def current_pace(row: BudgetRow, now: datetime, pace: float) -> float:
    """Return the calls a second of this moment, where ``pace`` is the full pace."""
    return pace if row.full_from <= now else pace * _share(row)


def is_plausible(row: BudgetRow, now: datetime) -> bool:
    """Tell whether a row can be of our own writing."""
    past = (row.stopped_turn, row.halved_turn, row.priced_at, row.bulk_at)
    soon = (*past, row.runs_from, row.full_from)
    return (
        min(*soon, row.next_turn) >= NEVER
        and row.runs_from <= row.full_from
        and _seconds(max(past), now) <= MAX_HOLD_SECONDS
        and _seconds(row.full_from, now) <= 2 * MAX_HOLD_SECONDS
        and _seconds(row.next_turn, now) <= MAX_LINE_SECONDS
        and line_seconds(row, now) <= 2 * MAX_LINE_SECONDS
    )


def _share(row: BudgetRow) -> float:
    return 0.5**row.halvings


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
