"""The price of a poll: how many seconds of lateness it is worth while all schedules share the budget. Pure."""

from datetime import datetime, timedelta

import msgspec

from shared.budget.row import BudgetRow, current_pace

POLLS_SHARE = 0.9
"""The share of the pace that is left for polls while a snapshot waits for them."""
MAX_BULK_AGE = timedelta(seconds=60)
"""A snapshot that has said so within this time waits still: it says so twice a minute."""
MAX_PRICE_AGE = timedelta(minutes=5)
"""A price that the timer did not renew for so long holds no more."""


def publish_price(row: BudgetRow, now: datetime, pace: float, weights: float) -> BudgetRow:
    """Put the price on record at which all schedules together fit the pace; ``weights`` is the sum of theirs.

    A schedule of weight w polls w ÷ √price times a second.
    """
    left = current_pace(row, now, pace)
    if now - row.bulk_at < MAX_BULK_AGE:
        left *= POLLS_SHARE
    return msgspec.structs.replace(row, price=min((weights / left) ** 2, 1e12), priced_at=now)


def current_price(row: BudgetRow, now: datetime, poll_worth: float) -> float:
    """Return how many seconds of lateness a poll is worth: ``poll_worth``, or the price where that is higher."""
    return max(poll_worth, row.price) if now - row.priced_at < MAX_PRICE_AGE else poll_worth
