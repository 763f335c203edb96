"""Cancel requests: end open ones, and those whose messages are still on their way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.budget.budget import Budget
from shared.training import events, rows
from shared.training.decide import End
from shared.training.logs import log_ended
from shared.training.messages import Group
from shared.training.races import repeat_lost_races
from shared.training.record import Outcome, RequestRecord
from shared.training.store import WatchStore
from shared.training.tell import Teller


@dataclass(frozen=True)
class Canceller:
    """Cancels requests; may be shared by threads.

    Methods raise ``azure.core.exceptions.AzureError`` where the app's own storage fails, and ``LostRace`` where others
    write the same record all the time.
    """

    store: WatchStore
    teller: Teller
    budget: Budget
    jitter: Callable[[], float]  # random numbers from 0 up to 1
    sleep: Callable[[float], None]  # waits for some seconds

    def cancel(self, group: Group, request_id: str) -> bool:
        """End a request as cancelled, also one that is not on record yet; return whether it had not ended before."""
        now = self.budget.clock()
        return repeat_lost_races(lambda: self._cancel(group, request_id, now), self.jitter, self.sleep)

    def cancel_all(self, group: Group) -> list[str]:
        """End all open requests of a group as cancelled; return their IDs."""
        open_requests = self.store.read(group).open
        return [each.request_id for each in open_requests if self.cancel(group, each.request_id)]

    def _cancel(self, group: Group, request_id: str, now: datetime) -> bool:
        record = self.store.read(group)
        for owed in record.owed:
            if owed.request_id == request_id:
                # It may be our own write, whose response was lost.
                self.teller.tell(group, [owed])
                return owed.outcome is Outcome.CANCELLED and owed.ended_at == now
        request = next((each for each in record.open if each.request_id == request_id), None)
        if request is None:
            if request_id in record.stuck or self.store.is_told(group, request_id):
                return False
            # Its message may be on its way, and is dropped once this is on record.
            request = RequestRecord(
                request_id=request_id, inserted_at=rows.inserted_at(request_id), polls_before=record.watch.polls
            )
        seen = events.Seen(at=now, polls=record.watch.polls, training=record.watch.training)
        ended = events.ended(group, request, End(Outcome.CANCELLED), seen, source=self.teller.source)
        # The row stays in the index until the watch's next step, or until the timer finds nothing to do.
        self.store.upsert_live(group, record.watch.next_poll_at or now, 0.0)
        written = self.store.write(group, record.watch, ends=[ended])
        log_ended(group, ended)
        self.teller.tell(group, written.owed)
        return True
