"""Take up what the host gave up: nothing ends in the poison queue unseen."""

import logging
from dataclasses import dataclass

import msgspec

from shared.training.record import Outcome
from shared.training.request import FollowUp, Message, parse_body
from shared.training.store import repeat_lost_races
from shared.training.watch import Watcher

log = logging.getLogger(__name__)

MOST_POISONINGS = 3


@dataclass(frozen=True)
class PoisonHandler:
    """Handle the messages of the poison queue."""

    watcher: Watcher

    def handle(self, message: Message) -> None:
        """Take a poisoned request as a request again; count a poisoned follow-up, and abandon its watch at the third.

        A counted watch is left to the timer, which takes it up again. Raise
        ``azure.core.exceptions.AzureError`` where the storage fails: the host tries again in 10 minutes.
        """
        found = parse_body(message.body, self.watcher.default_kind)
        if not isinstance(found, FollowUp):
            log.error("poisoned request taken up again")
            self.watcher.handle(message)
            return
        log.error("poisoned follow-up counted", extra={"kind": found.kind.value, "step": found.step})
        repeat_lost_races(lambda: self._count(found, message.id))

    def _count(self, follow_up: FollowUp, message_id: str) -> None:
        watches = self.watcher.store.read_from(follow_up.kind, follow_up.group_id, follow_up.watch_id)
        if not watches or watches[0].watch_id != follow_up.watch_id:
            return
        watch = watches[0]
        if watch.ended or watch.step > follow_up.step:
            self.watcher.tell(watch)
            return
        if watch.last_poison_id == message_id:
            return  # counted already, by a delivery that died before it was done
        poisonings = watch.poisonings + 1
        counted = msgspec.structs.replace(watch, poisonings=poisonings, last_poison_id=message_id)
        if poisonings >= MOST_POISONINGS:
            self.watcher.end(counted, Outcome.ABANDONED, error=f"its messages were poisoned {poisonings} times")
        else:
            self.watcher.store.replace(counted)
