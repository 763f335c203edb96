"""Look after watches that nobody else does: overdue ones, ended ones that owe their event, and old records."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared.training.record import Watch
from shared.training.request import FollowUp
from shared.training.store import LostRace
from shared.training.watch import Watcher

log = logging.getLogger(__name__)

OVERDUE_SECONDS = 120
"""How long after its time a follow-up counts as lost."""

MOST_A_RUN = 500
"""How many records one run takes up, and how many it removes."""

LONGEST_RUN_SECONDS = 45
"""The timer fires each minute; what one run leaves, the next takes up."""


@dataclass(frozen=True)
class Resumer:
    """Run each minute; a run that overlaps another does no harm."""

    watcher: Watcher
    retention: timedelta

    def run(self) -> None:
        """Take up what is overdue, then remove records of watches that ended longer ago than ``retention``.

        Raise ``azure.core.exceptions.AzureError`` where the storage fails.
        """
        started = self.watcher.clock()
        resumed = 0
        for watch in self.watcher.store.overdue(started - timedelta(seconds=OVERDUE_SECONDS), MOST_A_RUN):
            with suppress(LostRace):  # it goes on without us
                self._resume(watch)
                resumed += 1
            if self._is_over(started):
                break
        removed = 0
        for watch in self.watcher.store.ended(started - self.retention, MOST_A_RUN):
            self.watcher.store.remove(watch)
            removed += 1
            if self._is_over(started):
                break
        if resumed or removed:
            log.info("training watches resumed", extra={"resumed": resumed, "removed": removed})

    def _resume(self, watch: Watch) -> None:
        now = self.watcher.clock()
        follow_up = FollowUp(watch.watch_id, watch.kind, watch.group_id, watch.step)
        if watch.ended:
            self.watcher.tell(watch)
        elif now >= self.watcher.policy.deadline(watch):
            # A last look here: it may have ended long since, and its messages have not brought it that far.
            self.watcher.follow(follow_up)
        else:
            self.watcher.queue.send_message(follow_up.body, time_to_live=-1)
            # So that the next run does not send it once more while the queue is slow.
            self.watcher.store.replace(msgspec.structs.replace(watch, next_look_at=now))

    def _is_over(self, started: datetime) -> bool:
        return (self.watcher.clock() - started).total_seconds() > LONGEST_RUN_SECONDS
