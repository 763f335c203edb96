"""Tell ends to the world, and note that they were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from azure.storage.queue import QueueClient

from shared.training import events
from shared.training.decide import End
from shared.training.messages import Group, Message
from shared.training.record import RequestRecord
from shared.training.store import WatchStore

EVENT_LIFE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Teller:
    """Sends events to the results queue. Methods raise ``AzureError`` where the app's own storage fails."""

    store: WatchStore
    results: QueueClient
    source: str  # the Face resource's endpoint

    def tell(self, group: Group, owed: Sequence[RequestRecord]) -> None:
        """Send the events of owed requests, then move these to ``told``. The other order can lose an event."""
        for each in owed:
            if each.event is not None:
                self._send(each.event)
        if owed:
            self.store.note_told(group, owed)

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
        self._send(event)
        self.store.note_rejected(events.body_event_id(message), message.inserted_at, end.outcome.value, event)

    def _send(self, event: bytes) -> None:
        self.results.send_message(event.decode(), time_to_live=EVENT_LIFE_SECONDS)
