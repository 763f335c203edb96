"""Tell the world how a request ended: one CloudEvent each, the same at each repetition."""

import json
import uuid
from datetime import datetime
from typing import Any

import msgspec
from azure.storage.queue import QueueClient

from shared.face.models import Training
from shared.face.timestamps import format_utc
from shared.training.record import Outcome, Watch
from shared.training.request import Message

EVENT_LIFE_SECONDS = 7 * 24 * 3600
LONGEST_BODY = 256
"""How many characters of a rejected body its event quotes."""

# Names the events of rejected bodies; a random number, once and for all.
_REJECTED_BODIES = uuid.UUID("7c8f8c0e-6c1b-4f0a-9a53-3a1f0a1f6a11")


def ended_event(
    watch: Watch, outcome: Outcome, *, source: str, at: datetime, error: str | None, superseded_by: str | None
) -> str:
    """Return the event of a watch that ended ``at`` (UTC), as JSON text.

    ``source`` is the Face resource's endpoint; the form is CloudEvents 1.0, https://cloudevents.io.
    """
    data = {
        "kind": watch.kind.value,
        "groupId": watch.group_id,
        "outcome": outcome.value,
        "training": _as_json(watch.training),
        "polls": watch.polls,
        "watchedSeconds": round(max(0.0, (at - watch.started_at).total_seconds()), 3),
        "correlationId": watch.correlation_id,
        "error": error,
    }
    if superseded_by is not None:
        data["supersededBy"] = superseded_by
    return _event(
        watch.watch_id,
        outcome,
        source=f"{source}/{watch.kind.path}/{watch.group_id}",
        subject=f"{watch.kind.value}/{watch.group_id}",
        time=at,
        data=data,
    )


def rejected_event(message: Message, reason: str, *, source: str) -> str:
    """Return the event of a body that is no request, as JSON text: all of it from the message, so it repeats itself."""
    data = {
        "kind": None,
        "groupId": None,
        "outcome": Outcome.REJECTED.value,
        "training": None,
        "polls": 0,
        "watchedSeconds": 0,
        "correlationId": None,
        "error": reason,
        "body": message.body.decode(errors="replace")[:LONGEST_BODY],
    }
    event_id = uuid.uuid5(_REJECTED_BODIES, f"{message.id}\n{message.body.hex()}")
    return _event(str(event_id), Outcome.REJECTED, source=source, subject=None, time=message.inserted_at, data=data)


class Reporter:
    """Put events on the results queue, for seven days."""

    def __init__(self, results: QueueClient) -> None:
        self._results = results

    def send(self, event: str) -> None:
        """Send one event; raise ``azure.core.exceptions.AzureError`` where the queue does not take it."""
        self._results.send_message(event, time_to_live=EVENT_LIFE_SECONDS)


def _event(
    event_id: str, outcome: Outcome, *, source: str, subject: str | None, time: datetime, data: dict[str, Any]
) -> str:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"face.training.{outcome.value}",
        **({} if subject is None else {"subject": subject}),
        "time": format_utc(time),
        "datacontenttype": "application/json",
        "data": data,
    }
    # A queue message is XML text, which cannot hold every character that JSON can; ASCII it always can.
    return json.dumps(event, ensure_ascii=True, separators=(",", ":"))


def _as_json(training: Training | None) -> Any:
    return None if training is None else msgspec.to_builtins(training)
