"""Tell ends to the world, and note that they were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from azure.storage.queue import QueueClient

from shared import telemetry
from shared.training import events
from shared.training.decide import End
from shared.training.messages import Group, Message
from shared.training.record import RequestRecord
from shared.training.store import WatchStore
from shared.training.topic import Topic

EVENT_LIFE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Teller:
    """Sends events to the results queue and, where there is one, to a topic.

    Methods raise ``AzureError`` where the app's own storage fails. The topic's troubles never raise.
    """

    store: WatchStore
    results: QueueClient
    source: str  # the Face resource's endpoint
    topic: Topic | None = None
    knows_topic: bool = True  # the command line does not: what it leaves owed to the topic, the app's timer sends

    def tell(self, group: Group, owed: Sequence[RequestRecord]) -> list[RequestRecord]:
        """Send the events of owed requests, then move these to ``told``. The other order can lose an event.

        Return those that are still owed: the queue has taken their events, and the topic has not.
        """
        for each in owed:
            if each.event is not None and not each.queued:
                self._send(each.event, each.request_id, each.traceparent)
        untaken = self._send_to_topic(owed)
        left = [each for each in owed if each.event in untaken]
        self.store.note_told(group, [each for each in owed if each.event not in untaken])
        self.store.note_queued(group, [each for each in left if not each.queued])
        return left

    def tell_body(
        self,
        message: Message,
        end: End,
        *,
        group: Group | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Send the event of a body that has no record of its own, and list it under its day."""
        event = events.body_event(
            message,
            end,
            source=self.source,
            group=group,
            correlation_id=correlation_id,
            traceparent=traceparent,
        )
        event_id = events.body_event_id(message)
        self._send(event, event_id, traceparent)
        if self.topic is not None:
            self.topic.send_or_keep(event_id, event)
        self.store.note_rejected(event_id, message.inserted_at, end.outcome.value, event)

    def tell_kept(self) -> None:
        """Send the topic the events of bodies that it has not taken yet."""
        if self.topic is not None:
            self.topic.send_kept()

    def _send_to_topic(self, owed: Sequence[RequestRecord]) -> set[bytes]:
        """Send the events of owed requests to the topic; return those that it has not taken."""
        sent = [each.event for each in owed if each.event is not None]
        if not self.knows_topic:
            return set(sent)
        return set() if self.topic is None else self.topic.send(sent)

    def _send(self, event: bytes, event_id: str, traceparent: str | None) -> None:
        with telemetry.sending("training-results", event_id, traceparent):
            self.results.send_message(event.decode(), time_to_live=EVENT_LIFE_SECONDS)
