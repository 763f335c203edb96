"""The events of a stack, so that each test finds its own."""

from local.stack import Event, Stack
from tests.support.waiting import wait_for


class Inbox:
    """The events that came out of a stack, in the order of their arrival."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._events: list[Event] = []

    def wait_for_event(self, message_id: str, *, timeout: float = 45.0) -> Event:
        """Return the event of the request that was this message; fail where it gets two different ones."""
        wait_for(lambda: self.events_of(message_id), what=f"the event of message {message_id}", timeout=timeout)
        first, *others = self.events_of(message_id)
        assert all(other == first for other in others)
        return first

    def wait_for_rejection(self, body: str) -> Event:
        """Return the event of a body that is no request."""
        return wait_for(lambda: self._rejection(body), what="the event of a rejected body")

    def events_of(self, message_id: str) -> list[Event]:
        """Return the events that came so far of the request that was this message."""
        return [event for event in self._received() if event["id"].endswith(f"Z-{message_id}")]

    def _rejection(self, body: str) -> Event | None:
        return next((event for event in self._received() if event["data"].get("body") == body), None)

    def _received(self) -> list[Event]:
        self._events += self._stack.receive_events()
        return self._events
