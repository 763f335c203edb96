"""One queue of the storage service, as the listener uses it. Calls block a thread, not the event loop."""

import asyncio
from contextlib import suppress

import msgspec
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.queue import QueueClient

from local.host.queue_message import ReceivedMessage
from local.host.queue_rules import LEASE_SECONDS, POISON_LIFE_SECONDS


class StorageQueue:
    """A queue of the storage service. Its methods raise azure.core's AzureError."""

    def __init__(self, client: QueueClient) -> None:
        self.name = client.queue_name
        self._client = client

    async def exists(self) -> bool:
        """Return whether the queue exists."""
        try:
            await asyncio.to_thread(self._client.get_queue_properties)
        except ResourceNotFoundError:
            return False
        return True

    async def receive(self, count: int) -> list[ReceivedMessage]:
        """Receive up to ``count`` messages, hidden for the lease's time."""
        return await asyncio.to_thread(self._receive, count)

    async def hide(self, message: ReceivedMessage, seconds: float) -> ReceivedMessage:
        """Hide a message for so long from now, and return it with its new pop receipt."""
        updated = await asyncio.to_thread(
            self._client.update_message,
            message.id or "",
            pop_receipt=message.pop_receipt,
            visibility_timeout=round(seconds),
        )
        return msgspec.structs.replace(
            message, pop_receipt=updated.pop_receipt, next_visible_on=updated.next_visible_on
        )

    async def delete(self, message: ReceivedMessage) -> None:
        """Delete a message."""
        await asyncio.to_thread(self._client.delete_message, message.id or "", message.pop_receipt)

    async def add(self, text: str) -> None:
        """Add a new message with the life of a poisoned one; make the queue when it is missing."""
        await asyncio.to_thread(send, self._client, text, life=POISON_LIFE_SECONDS)

    def _receive(self, count: int) -> list[ReceivedMessage]:
        # One page is one request; the SDK would go on asking until the queue is empty.
        pages = self._client.receive_messages(messages_per_page=count, visibility_timeout=LEASE_SECONDS).by_page()
        return [
            ReceivedMessage(
                text=message.content,
                id=message.id,
                pop_receipt=message.pop_receipt,
                dequeue_count=message.dequeue_count or 0,
                inserted_on=message.inserted_on,
                expires_on=message.expires_on,
                next_visible_on=message.next_visible_on,
            )
            for message in next(pages, ())
        ]


def send(client: QueueClient, text: str, *, life: int | None = None) -> None:
    """Send a message that lives so many seconds (default: 7 days); make the queue when it is missing.

    Raises:
        AzureError: the message could not be sent.
    """
    try:
        client.send_message(text, time_to_live=life)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # somebody else was quicker
            client.create_queue()
        client.send_message(text, time_to_live=life)


def is_transient(error: AzureError) -> bool:
    """Return whether the listener backs off and tries again: a queue that is missing or being deleted, a 5xx.

    It does so without a connection too, since locally the storage may start later; the real host restarts then.
    """
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return True
    return _code(error) in {"QueueNotFound", "QueueBeingDeleted", "QueueDisabled"} or _status(error) >= 500


def is_taken_or_gone(error: AzureError) -> bool:
    """Return whether somebody else has received or deleted the message, or its queue is gone."""
    return _status(error) == 404 or _code(error) in {"PopReceiptMismatch", "QueueBeingDeleted", "QueueDisabled"}


def _status(error: AzureError) -> int:
    return (error.status_code or 0) if isinstance(error, HttpResponseError) else 0


def _code(error: AzureError) -> str:
    # The SDK's storage clients set it; its base class does not declare it.
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code))
