"""Look after the groups that nobody else does, each minute: overdue ones, owed events, and old records."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from shared import telemetry
from shared.budget.budget import Budget
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training.messages import FollowUp
from shared.training.readers import LiveGroup
from shared.training.record import traceparent_of, with_live_watch
from shared.training.store import LostRace, WatchStore
from shared.training.tell import Teller

log = logging.getLogger(__name__)

OVERDUE_SECONDS = 120
"""How long after its time a follow-up counts as lost."""

MAX_AHEAD = timedelta(seconds=MAX_VISIBILITY_SECONDS + OVERDUE_SECONDS)
"""A poll that is due later was not put off by the app: no message can be hidden for so long."""

MAX_RUN_SECONDS = 45
"""The timer fires each minute; what one run leaves, the next takes up."""

MAX_REMOVED = 1000
"""How many ended requests one run removes."""


@dataclass(frozen=True)
class Caretaker:
    """Runs each minute; a run that overlaps another does no harm."""

    store: WatchStore
    queue: QueueClient
    teller: Teller
    budget: Budget
    retention: timedelta  # how long the record of an ended request is kept
    monotonic: Callable[[], float]  # seconds that only grow

    def run(self) -> None:
        """Take up what is overdue, oldest first, publish the price of a poll, then remove old records.

        What the topic has not taken is sent to it.

        A group that fails is logged; the others are served.

        Raises:
            azure.core.exceptions.AzureError: the index of live groups cannot be read.
        """
        deadline = self.monotonic() + MAX_RUN_SECONDS
        now = self.budget.clock()
        limit = now - timedelta(seconds=OVERDUE_SECONDS)
        weights, groups, open_requests, overdue = 0.0, 0, 0, list[LiveGroup]()
        for each in self.store.live():
            weights += each.weight
            groups += 1
            open_requests += each.open_requests
            if not limit <= each.next_poll_at <= now + MAX_AHEAD:
                overdue.append(each)
        self.budget.publish_price(weights)
        overdue.sort(key=lambda each: each.next_poll_at)
        taken_up = self._take_up(overdue, now, deadline)
        self._tell_kept()
        removed = self._remove_old(now, deadline)
        oldest_overdue = max(0.0, (now - overdue[0].next_poll_at).total_seconds()) if overdue else 0.0
        telemetry.measure_watches(open_requests=open_requests, oldest_overdue=oldest_overdue)
        # The alert that the app is silent hears this record.
        log.info(
            "training watches looked after",
            extra={
                "live": groups,
                "overdue": len(overdue),
                "taken_up": taken_up,
                "removed": removed,
                "oldest_overdue_seconds": oldest_overdue,
            },
        )

    def _take_up(self, overdue: list[LiveGroup], now: datetime, deadline: float) -> int:
        taken_up = 0
        for live in overdue:
            if self.monotonic() > deadline:
                break
            try:
                self._take_up_one(live, now)
                taken_up += 1
            except LostRace:
                continue  # the group goes on without us
            except Exception as error:  # noqa: BLE001 - one group never stops the others
                fields = {"kind": live.group.kind.value, "error": type(error).__name__}
                log.error("overdue group not taken up", extra=fields)  # noqa: TRY400 - the trace may hold IDs
        return taken_up

    def _take_up_one(self, live: LiveGroup, now: datetime) -> None:
        # The index's row was read before the group, so its ETag tells whether the group has moved since.
        record = with_live_watch(self.store.read(live.group))
        left = self.teller.tell(live.group, record.owed)
        if record.watch.live:
            follow_up = FollowUp(group=live.group, step=record.watch.step, traceparent=traceparent_of(record.open))
            self.queue.send_message(follow_up.body, time_to_live=-1)
            # The next run should not send it once more while the queue is slow.
            self.store.postpone_live(live, now)
        elif left:
            # Those that wait for the topic should not come before the others each time.
            self.store.postpone_live(live, now)
        elif not record.owed and not record.stuck:
            # A handler between putting the row into the index and its commit has to begin again.
            self.store.write(live.group, record.watch)
            self.store.remove_live(live.group, live.etag)

    def _tell_kept(self) -> None:
        try:
            self.teller.tell_kept()
        except AzureError as error:
            log.error("kept events not sent", extra={"error": type(error).__name__})  # noqa: TRY400 - likewise

    def _remove_old(self, now: datetime, deadline: float) -> int:
        """Remove requests one day after their retention, and watches that are left alone; return how many."""
        # A message lives for 7 days at most and the retention is longer, so none can come back after that.
        removed = 0
        try:
            for batch in batched(self.store.ended_before(now - self.retention - timedelta(days=1)), 100, strict=False):
                self.store.remove_ended(batch)
                removed += len(batch)
                if removed >= MAX_REMOVED or self.monotonic() > deadline:
                    break
        except AzureError as error:
            log.error("old records not removed", extra={"error": type(error).__name__})  # noqa: TRY400 - likewise
        return removed
