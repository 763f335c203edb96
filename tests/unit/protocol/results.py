"""Keep what was told, by request."""

import json
from typing import Any


class Results:
    """The queue of events: only what arrived matters, not how often."""

    def __init__(self) -> None:
        self.events: dict[str, set[str]] = {}

    def send_message(self, content: str, *, time_to_live: int | None = None) -> None:  # noqa: ARG002
        """Take an event."""
        self.events.setdefault(json.loads(content)["id"], set()).add(content)

    def event(self, request_id: str) -> dict[str, Any]:
        """Return the one event of a request."""
        (content,) = self.events[request_id]
        event: dict[str, Any] = json.loads(content)
        return event

    def outcome(self, request_id: str) -> str:
        """Return with which outcome a request has ended."""
        return str(self.event(request_id)["data"]["outcome"])
