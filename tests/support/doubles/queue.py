"""Keep a queue in memory, with the visibility, pop receipts and errors of ``azure.storage.queue.QueueClient``."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.errors import failed_with

_DEFAULT_LIFE_SECONDS = 7 * 24 * 3600
_MAX_VISIBILITY_SECONDS = 7 * 24 * 3600
_MAX_BODY_BYTES = 65_536


class InMemoryQueue:
    """Messages in the order of their times; one that is invisible stays in the queue.

    ``name`` makes the messages' IDs, which are the same ones in each run, differ from those of other queues.
    """

    def __init__(self, clock: VirtualClock, name: str = "queue") -> None:
        self._clock = clock
        self._messages: list[QueueMessage] = []
        self._numbers = count(1)
        self._receipts = count(1)
        self._name = name

    def send_message(
        self, content: str | bytes, *, visibility_timeout: int | None = None, time_to_live: int | None = None
    ) -> QueueMessage:
        life = timedelta(seconds=_DEFAULT_LIFE_SECONDS if time_to_live is None else time_to_live)
        if not 0 <= (visibility_timeout or 0) <= _MAX_VISIBILITY_SECONDS:
            raise failed_with(HttpResponseError, "OutOfRangeQueryParameterValue", 400)
        if time_to_live != -1 and life.total_seconds() <= (visibility_timeout or 0):
            raise failed_with(HttpResponseError, "InvalidQueryParameterValue", 400)
        if len(content.encode() if isinstance(content, str) else content) > _MAX_BODY_BYTES:
            raise failed_with(HttpResponseError, "RequestBodyTooLarge", 413)
        now = self._clock()
        message = QueueMessage(content=content)
        message.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._name} {next(self._numbers)}"))
        message.inserted_on = now.replace(microsecond=0)
        message.expires_on = datetime.max.replace(tzinfo=now.tzinfo) if time_to_live == -1 else now + life
        message.dequeue_count = 0
        self._hide(message, visibility_timeout or 0)
        self._messages.append(message)
        return _copy(message)

    def receive_message(self, *, visibility_timeout: int) -> QueueMessage | None:
        now = self._clock()
        for message in self._live():
            if message.next_visible_on is not None and message.next_visible_on <= now:
                message.dequeue_count = (message.dequeue_count or 0) + 1
                self._hide(message, visibility_timeout)
                return _copy(message)
        return None

    def update_message(self, message: str, pop_receipt: str, *, visibility_timeout: int) -> QueueMessage:
        found = self._find(message, pop_receipt)
        self._hide(found, visibility_timeout)
        return _copy(found)

    def delete_message(self, message: str, pop_receipt: str | None) -> None:
        self._messages.remove(self._find(message, pop_receipt))

    def clear_messages(self) -> None:
        self._messages.clear()

    @property
    def messages(self) -> list[QueueMessage]:
        """Return what is in the queue, visible or not, the next to be visible first."""
        return [_copy(message) for message in self._live()]

    def _live(self) -> Iterator[QueueMessage]:
        now = self._clock()
        self._messages = [message for message in self._messages if message.expires_on and message.expires_on > now]
        return iter(sorted(self._messages, key=lambda message: message.next_visible_on or now))

    def _find(self, message_id: str, pop_receipt: str | None) -> QueueMessage:
        for message in self._messages:
            if message.id == message_id:
                if message.pop_receipt != pop_receipt:
                    raise failed_with(HttpResponseError, "PopReceiptMismatch", 400)
                return message
        raise failed_with(ResourceNotFoundError, "MessageNotFound", 404)

    def _hide(self, message: QueueMessage, seconds: int) -> None:
        message.next_visible_on = self._clock() + timedelta(seconds=seconds)
        message.pop_receipt = f"receipt-{next(self._receipts)}"


def _copy(message: QueueMessage) -> QueueMessage:
    copy = QueueMessage(content=message.content)
    copy.__dict__.update(message.__dict__)
    return copy
