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

    def wait_for_body(self, message_id: str) -> Event:
        """Return the event of a body that is told by itself, because it was rejected or given up."""
        return wait_for(lambda: self._of_body(message_id), what=f"the event of the body of message {message_id}")

    def events_of(self, message_id: str) -> list[Event]:
        """Return the events that came so far of the request that was this message."""
        return [event for event in self.events if event["id"].endswith(f"Z-{message_id}")]

    def _of_body(self, message_id: str) -> Event | None:
        return next((event for event in self.events if event["data"].get("messageId") == message_id), None)

    @property
    def events(self) -> list[Event]:
        """Return all events that came so far."""
        self._events += self._stack.receive_events()
        return self._events
