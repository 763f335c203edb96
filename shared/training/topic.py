"""Send events to an Event Grid topic, whose troubles neither raise nor hold anybody up."""

import json
import logging
from collections.abc import Callable, Sequence
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError
from azure.data.tables import TableClient, UpdateMode

from shared.training.events import is_event
from shared.training.rows import TOPIC

if TYPE_CHECKING:
    from azure.eventgrid import EventGridPublisherClient

log = logging.getLogger(__name__)

MAX_EVENTS = 20
"""Of at most 48 KiB each, so many stay below the 1 MB of a request:
https://learn.microsoft.com/azure/event-grid/quotas-limits."""

MAX_KEPT = 1000
"""How many kept events one run of the timer sends."""

REST_SECONDS = 30.0
"""How long the topic is left alone after a failure, so that not each event waits for its timeouts."""

_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2,
    "read_timeout": 5,
    # Only a connection that fails is tried again at once: for a status the SDK would wait as long as it says.
    "retry_total": 1,
    "retry_status": 0,
    "retry_on_methods": ["POST"],
    # Else the SDK may put the trace of this call into events that have none, and a repeat would differ.
    "tracing_options": {"enabled": False},
}
_BAD_EVENT = (400, 413)  # statuses


class Topic:
    """An Event Grid topic, and the events without a record that it has not taken yet; may be shared by threads."""

    def __init__(self, client: "EventGridPublisherClient", table: TableClient, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._rests_until = float("-inf")

    def send(self, events: Sequence[bytes]) -> set[bytes]:
        """Send events; return those that the topic has not taken."""
        return {each for batch in batched(events, MAX_EVENTS, strict=False) for each in self._send(batch)}

    def send_or_keep(self, event_id: str, event: bytes) -> None:
        """Send an event that has no record; keep it where the topic does not take it.

        Raises:
            azure.core.exceptions.AzureError: the table cannot be used.
        """
        if self.send([event]):
            row = {"PartitionKey": TOPIC, "RowKey": event_id, "event": event}
            self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    def send_kept(self) -> None:
        """Send what was kept, and remove what the topic takes.

        Raises:
            azure.core.exceptions.AzureError: the table cannot be used.
        """
        found = self._table.query_entities("PartitionKey eq @topic", parameters={"topic": TOPIC})
        for batch in batched(islice(found, MAX_KEPT), MAX_EVENTS, strict=False):
            kept = {str(row["RowKey"]): row["event"] for row in batch if _is_kept(row)}
            untaken = self.send(list(kept.values()))
            for event_id, event in kept.items():
                if event not in untaken:
                    self._table.delete_entity(TOPIC, event_id)
            if self._rests:
                return

    @property
    def _rests(self) -> bool:
        return self._monotonic() < self._rests_until

    def _send(self, events: Sequence[bytes]) -> Sequence[bytes]:
        if self._rests:
            return events
        try:
            self._client.send([json.loads(each) for each in events], **_OPTIONS)
        except (AzureError, ValueError) as error:
            status = getattr(error, "status_code", None)
            bad_event = status in _BAD_EVENT or isinstance(error, ValueError)
            if bad_event and len(events) > 1:
                # The topic takes all or none: one bad event never stops the others.
                return [untaken for each in events for untaken in self._send([each])]
            if not bad_event:
                self._rests_until = self._monotonic() + REST_SECONDS
            fields = {"events": len(events), "error": type(error).__name__, "http_status": status}
            log.warning("events not taken by the topic", extra=fields)
            return events
        return ()


def _is_kept(row: Any) -> bool:
    event = row.get("event")
    return isinstance(event, bytes) and is_event(event, str(row["RowKey"]))
