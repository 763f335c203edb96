"""The budget's row, and all that is decided on it. Pure.

All processes share one line of slots. A slot is a moment on the line's own clock, its *turn*. While nobody is
throttled, that clock shows the storage's time. A 429 stops it for as long as the service asks; then it runs at half
its speed, and 30 s after the 429 at full speed again. So a 429 puts off every slot that is still to come, also the
slot of a watch that lies in the queue for half an hour, and all keep their order. Whoever has a slot asks the row when
it is due. Once the line is empty and the pace is full again, the line's clock is set to the storage's time.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

GIVEN_OUT = 0.95
"""The share of ``FACE_MAX_TPS`` that is given out; the rest is for clocks and networks that are not exact."""
RECOVERY_SECONDS = 30.0
"""The full pace is back so long after the last halving."""
MAX_HALVINGS = 3
"""Service that throttles even an eighth of the budget is used up by others: less of ours would not help it."""
MAX_HOLD_SECONDS = 60.0
"""The longest that a 429 stops all calls: the service counts by the minute at most. A group may wait longer."""
EPISODE_SECONDS = 2.0
"""A 429 for a slot of the first so many seconds after a halving (by the line's clock) is of the same episode."""
MAX_MISSED = 5
"""A slot is void once so many later ones have passed. Else all slots of an outage would be used at once after it."""
CHUNK_SECONDS = 0.5
"""A snapshot's calls make the line at most this long."""
POLLS_SHARE = 0.9
"""The share of the pace that is left for polls while a snapshot waits for them."""
MAX_LINE_SECONDS = 86_400.0
"""A line longer than this is damage, not load: 400,000 watches at the default budget make one of a day."""
MAX_PRICE_AGE_SECONDS = 300.0
"""A price that the timer did not renew for so long holds no more."""

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a moment that has not come yet in the row's life; a table takes dates from 1601 on."""

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Slot(msgspec.Struct, frozen=True):
    """The right to make one call."""

    turn: Moment  # when the call may be made, by the line's clock (UTC); the budget says when that is


class BudgetRow(msgspec.Struct, frozen=True, rename="camel"):
    """What all processes share."""

    next_turn: Moment  # the turn of the next free slot
    lag: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = (
        0.0  # seconds: how far the line's clock was behind the storage's at the last halving
    )
    halved_at: Moment = NEVER  # the last halving
    held_until: Moment = NEVER  # no call is made before this
    halvings: Annotated[int, msgspec.Meta(ge=0, le=MAX_HALVINGS)] = 0
    price: Annotated[float, msgspec.Meta(ge=0, le=1e12)] = 0.0  # seconds of lateness that one poll is worth
    priced_at: Moment = NEVER
    bulk_at: Moment = NEVER  # when a snapshot last took slots, or waited for some


def line_time(row: BudgetRow, now: datetime) -> datetime:
    """Return what the line's clock shows."""
    slow = _seconds(min(now, _recovered_at(row)), row.held_until)
    full = _seconds(now, _recovered_at(row))
    return _halved_turn(row) + timedelta(seconds=max(0.0, slow) * _share(row) + max(0.0, full))


def due(row: BudgetRow, turn: datetime) -> datetime:
    """Return when the line's clock will show a turn, or has shown it, if nobody is throttled meanwhile."""
    ahead = _seconds(turn, _halved_turn(row))
    if ahead <= 0:
        return turn + timedelta(seconds=row.lag)
    slow = _seconds(_recovered_at(row), row.held_until) * _share(row)
    if ahead <= slow:
        return row.held_until + timedelta(seconds=ahead / _share(row))
    return _recovered_at(row) + timedelta(seconds=ahead - slow)


def line_seconds(row: BudgetRow, now: datetime) -> float:
    """Return how far away the next free slot is, in seconds."""
    return max(0.0, _seconds(due(row, row.next_turn), now))


def is_void(row: BudgetRow, slot: Slot, now: datetime, pace: float) -> bool:
    """Tell whether a slot was missed for too long to be used. ``pace`` is the full one, in calls a second."""
    return _seconds(line_time(row, now), slot.turn) * pace > MAX_MISSED


def reserve(row: BudgetRow, now: datetime, pace: float, count: int) -> tuple[BudgetRow, list[Slot]]:
    """Take the next ``count`` free slots."""
    if row.next_turn <= line_time(row, now):
        if _recovered_at(row) <= now:
            row = msgspec.structs.replace(row, lag=0.0, halved_at=NEVER, held_until=NEVER, halvings=0)
        row = msgspec.structs.replace(row, next_turn=line_time(row, now))
    turns = [row.next_turn + timedelta(seconds=number / pace) for number in range(count + 1)]
    return msgspec.structs.replace(row, next_turn=turns.pop()), [Slot(turn) for turn in turns]


def reserve_chunk(row: BudgetRow, now: datetime, pace: float) -> tuple[BudgetRow, list[Slot]]:
    """Take free slots for a snapshot: none while the line is long, and else few enough to keep it short.

    The last ones may still be in the line when the next ones are taken, so that no time is lost in between.
    """
    waiting = line_seconds(row, now)
    if waiting > CHUNK_SECONDS / 2:
        slots: list[Slot] = []
        if _seconds(now, row.bulk_at) < RECOVERY_SECONDS:
            return row, slots  # that a snapshot waits is on record
    else:
        row, slots = reserve(row, now, pace, max(1, int((CHUNK_SECONDS - waiting) * current_pace(row, now, pace))))
    return msgspec.structs.replace(row, bulk_at=now), slots


def throttle(row: BudgetRow, slot: Slot, now: datetime, wait: float | None) -> BudgetRow:
    """Halve the pace after the 429 for a slot's call; ``wait`` is what the service asked for, in seconds.

    A 429 of the same episode as the last one brings no news. A later one halves again, but only one that ends a time
    at full pace stops all calls: else seven groups that are told to wait, one after the other, would each wait for all.
    """
    again = now < _recovered_at(row)
    if again and _seconds(slot.turn, _halved_turn(row)) < EPISODE_SECONDS:
        return row
    hold = 0.0 if again else min(wait or 0.0, MAX_HOLD_SECONDS)
    return msgspec.structs.replace(
        row,
        lag=max(0.0, _seconds(now, line_time(row, now))),
        halved_at=now,
        held_until=max(row.held_until, now + timedelta(seconds=hold)),
        halvings=min(MAX_HALVINGS, row.halvings + 1) if again else 1,
    )


def current_pace(row: BudgetRow, now: datetime, pace: float) -> float:
    """Return the calls a second of this moment, where ``pace`` is the full pace."""
    return pace if _recovered_at(row) <= now else pace * _share(row)


def publish_price(row: BudgetRow, now: datetime, pace: float, weights: float) -> BudgetRow:
    """Put the price on record at which all schedules together fit the pace; ``weights`` is the sum of theirs.

    A schedule of weight w polls w ÷ √price times a second.
    """
    left = current_pace(row, now, pace)
    if _seconds(now, row.bulk_at) < 2 * RECOVERY_SECONDS:
        left *= POLLS_SHARE
    return msgspec.structs.replace(row, price=min((weights / left) ** 2, 1e12), priced_at=now)


def price(row: BudgetRow, now: datetime, poll_worth: float) -> float:
    """Return how many seconds of lateness a poll is worth: ``poll_worth``, or the price where that is higher."""
    return max(poll_worth, row.price) if _seconds(now, row.priced_at) < MAX_PRICE_AGE_SECONDS else poll_worth


def is_plausible(row: BudgetRow, now: datetime) -> bool:
    """Tell whether a row can be of our own writing."""
    past = (row.halved_at, row.priced_at, row.bulk_at)
    return (
        min(*past, row.held_until, row.next_turn) >= NEVER
        and _seconds(max(past), now) <= MAX_HOLD_SECONDS
        and _seconds(row.held_until, now) <= 2 * MAX_HOLD_SECONDS
        and _seconds(row.next_turn, now) <= MAX_LINE_SECONDS
        and line_seconds(row, now) <= 2 * MAX_LINE_SECONDS
    )


def _share(row: BudgetRow) -> float:
    return 0.5**row.halvings


def _recovered_at(row: BudgetRow) -> datetime:
    return max(row.halved_at + timedelta(seconds=RECOVERY_SECONDS), row.held_until)


def _halved_turn(row: BudgetRow) -> datetime:
    """Return what the line's clock showed at the last halving."""
    return row.halved_at - timedelta(seconds=row.lag)


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
