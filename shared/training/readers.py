"""Read rows that somebody may have damaged: what cannot be read is named in the log, and stops nobody."""

import logging
from datetime import datetime
from typing import Any

import msgspec

from shared.training import rows
from shared.training.messages import Group
from shared.training.record import Last, RequestRecord, Watch

log = logging.getLogger(__name__)

MAX_WEIGHT = 100.0
"""Ten times the weight of a watch whose trainings all take the shortest time that is taken for true."""


class LiveGroup(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of the index: a group that has something open or owed."""

    group: Group
    next_poll_at: datetime  # UTC
    weight: float = 0.0  # the square root of half the hazard of its training's end, for the price of a poll
    open_requests: int = 0  # when it was polled last
    etag: str


def read_live_group(row: Any) -> LiveGroup:
    """Return a group of the index.

    Raises:
        ValueError: the row's key is not a group's.
    """
    group = rows.group_of(str(row["RowKey"]))
    next_poll_at, weight = row.get("nextPollAt"), row.get("weight")
    if not (isinstance(next_poll_at, datetime) and isinstance(weight, float) and 0 <= weight <= MAX_WEIGHT):
        log.error("a row of the index of live groups cannot be read; its group counts as due since it was written")
        next_poll_at, weight = row.metadata["timestamp"], 0.0
    open_requests = row.get("openRequests")
    return LiveGroup(
        group=group,
        next_poll_at=next_poll_at,
        weight=weight,
        open_requests=open_requests if isinstance(open_requests, int) else 0,
        etag=str(row.metadata["etag"]),
    )


def read_watch(row: Any) -> Watch:
    """Return a watch; one that cannot be read begins anew."""
    try:
        return rows.read_watch(row)
    except (ValueError, TypeError):
        log.error("a watch's row cannot be read; it begins anew")  # noqa: TRY400 - its values stay out of the log
        # As live, a follow-up goes on with whatever is open. Whether one is on its way is not known, so nobody joins
        # without a poll.
        return Watch(live=True, last=Last.NONE, etag=str(row.metadata["etag"]))


def read_open(row: Any) -> RequestRecord:
    """Return an open request; one that cannot be read says so, and ends as abandoned."""
    record = _read_request(row)
    if record is None or record.outcome is not None or record.event is not None or record.queued:
        log.error("an open request's row cannot be read; it will be abandoned")
        return rows.unreadable_request(row)
    return record


def read_owed(row: Any) -> RequestRecord | None:
    """Return an owed request, ``None`` where its event cannot be read."""
    record = _read_request(row)
    if record is None or record.event is None or record.ended_at is None or record.outcome is None:
        log.error("an owed request's row cannot be read; its event is not sent")
        return None
    return record


def _read_request(row: Any) -> RequestRecord | None:
    try:
        return rows.read_request(row)
    except (ValueError, TypeError):
        return None
