"""Take up what the host gave up: nothing ends in the poison queue unseen."""

import logging
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from shared.training.record import Outcome
from shared.training.request import FollowUp, Message, parse_body
from shared.training.store import LostRace, repeat_lost_races
from shared.training.watch import Watcher

log = logging.getLogger(__name__)

MOST_POISONINGS = 3

MAX_DEQUEUE_COUNT = 5
"""As ``host.json`` has it. Of a queue named ``…-poison``, the host gives no message to the function more often, and
keeps it all the same (``QueueProcessor.BeginProcessingMessageAsync`` in Azure/azure-sdk-for-net)."""

RETRY_SECONDS = 600
"""When the host would try again of itself: the lease that it leaves on a message that failed there."""


@dataclass(frozen=True)
class PoisonHandler:
    """Handle the messages of the poison queue."""

    watcher: Watcher
    queue: QueueClient

    def handle(self, message: Message) -> None:
        """Take a poisoned request as a request again; count a poisoned follow-up, and abandon its watch at the third.

        A counted watch is left to the timer, which takes it up again. Raise
        ``azure.core.exceptions.AzureError`` where the storage fails: the host tries again in 10 minutes. Its
        last tries do not raise: a fresh copy of the message stands in for it.
        """
        if message.dequeue_count < MAX_DEQUEUE_COUNT - 1:
            self._take_up(message)
            return
        # At the last try but one, so that a process that dies then leaves one more; sent before all else that can fail.
        body = message.body.decode(errors="replace")
        copy = self.queue.send_message(body, visibility_timeout=RETRY_SECONDS, time_to_live=-1)
        try:
            self._take_up(message)
        except (AzureError, LostRace) as error:
            log.error(  # noqa: TRY400 - the trace may hold addresses, and with them IDs
                "poisoned message left to a fresh copy", extra={"fault": type(error).__name__}
            )
            return
        with suppress(AzureError):  # one that is left asks for the same once more
            self.queue.delete_message(copy.id, copy.pop_receipt)

    def _take_up(self, message: Message) -> None:
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
