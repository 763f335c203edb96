"""The host's queue listener: receives batches of one queue and runs its function for each message."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from azure.core.exceptions import AzureError

from local.host import queue_rules
from local.host.clock import Clock, wait_at_most
from local.host.host_json import QueueSettings
from local.host.queue_message import ReceivedMessage, UndecodableError, decode_body
from local.host.queue_rules import Completion
from local.host.queue_storage import StorageQueue, is_taken_or_gone, is_transient

log = logging.getLogger(__name__)


class QueueListener:
    """A listener to one queue, as ``QueueListener`` in Azure/azure-sdk-for-net.

    ``invoke`` runs the function for a message and its decoded body, returns whether it succeeded, and never raises.
    ``on_added`` gets the name of the poison queue when a message is added to it.
    """

    def __init__(
        self,
        queue: StorageQueue,
        poison_queue: StorageQueue | None,
        settings: QueueSettings,
        invoke: Callable[[ReceivedMessage, bytes], Awaitable[bool]],
        *,
        on_added: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self.queue_name = queue.name
        self._queue = queue
        self._poison_queue = poison_queue
        self._settings = settings
        self._invoke = invoke
        self._on_added = on_added
        self._clock = clock
        self._queue_exists = False
        self._running: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """End a wait for messages, since one was added."""
        self._woken.set()

    def stop(self) -> None:
        """Receive nothing more; ``run`` returns when the functions that run have ended."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Listen until ``stop``.

        Raises:
            AzureError: the queue has an error that waiting does not mend.
        """
        try:
            await self._listen()
        finally:
            while self._running:
                await asyncio.wait(self._running)

    async def _listen(self) -> None:
        empty_polls = 0
        while not self._stopping:
            self._woken.clear()
            messages = await self._poll()
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if messages:
                empty_polls = 0
                await self._wait_for_room()
            else:
                empty_polls += 1
                await wait_at_most(self._clock, self._polling_delay(empty_polls), self._woken)

    def _polling_delay(self, empty_polls: int) -> float:
        randomness = random.uniform(queue_rules.MIN_RANDOMNESS, queue_rules.MAX_RANDOMNESS)  # noqa: S311 - spreads load
        maximum = self._settings.max_polling_interval
        return queue_rules.polling_delay(empty_polls, maximum=maximum, randomness=randomness)

    async def _poll(self) -> list[ReceivedMessage]:
        try:
            self._queue_exists = self._queue_exists or await self._queue.exists()
            return await self._queue.receive(self._settings.batch_size) if self._queue_exists else []
        except AzureError as error:
            self._queue_exists = False
            if not is_transient(error):
                raise
            log.info("Queue '%s' does not respond as it should; trying again: %s", self.queue_name, error)
            return []

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._settings.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _process(self, message: ReceivedMessage) -> None:
        try:
            await self._handle(message)
        except AzureError as error:
            log.error(  # noqa: TRY400 - the trace would tell nothing more
                "Message %s of queue '%s' comes back when its lease is over: %s", message.id, self.queue_name, error
            )

    async def _handle(self, message: ReceivedMessage) -> None:
        if queue_rules.is_spent(message.dequeue_count, max_dequeue_count=self._settings.max_dequeue_count):
            await self._move_to_poison(message)
            return
        try:
            body = decode_body(message.text, self._settings.message_encoding)
        except UndecodableError as error:
            log.warning("Message %s of queue '%s' cannot be decoded: %s", message.id, self.queue_name, error)
            await self._move_to_poison(message)
            return
        message, succeeded = await self._invoke_leased(message, body)
        await self._complete(message, succeeded=succeeded)

    async def _invoke_leased(self, message: ReceivedMessage, body: bytes) -> tuple[ReceivedMessage, bool]:
        """Run the function while the message is kept hidden; return the message with its newest pop receipt."""
        ended = asyncio.Event()
        renewal = asyncio.create_task(self._keep_hidden(message, ended))
        try:
            succeeded = await self._invoke(message, body)
        finally:
            # Not cancelled: a renewal that is under way brings the pop receipt that is needed next.
            ended.set()
            message = await renewal
        return message, succeeded

    async def _keep_hidden(self, message: ReceivedMessage, ended: asyncio.Event) -> ReceivedMessage:
        failures = 0
        while True:
            await wait_at_most(self._clock, queue_rules.renewal_delay(failures), ended)
            if ended.is_set():
                return message
            try:
                message = await self._queue.hide(message, queue_rules.LEASE_SECONDS)
                failures = 0
            except AzureError as error:
                if not is_transient(error) or is_taken_or_gone(error):
                    log.info("Message %s of queue '%s' is no longer ours: %s", message.id, self.queue_name, error)
                    return message
                failures += 1

    async def _complete(self, message: ReceivedMessage, *, succeeded: bool) -> None:
        completion = queue_rules.complete(
            succeeded=succeeded,
            dequeue_count=message.dequeue_count,
            max_dequeue_count=self._settings.max_dequeue_count,
            has_poison_queue=self._poison_queue is not None,
        )
        match completion:
            case Completion.DELETE:
                await self._unless_taken(self._queue.delete(message))
            case Completion.RELEASE:
                await self._unless_taken(self._queue.hide(message, self._settings.visibility_timeout))
            case Completion.MOVE_TO_POISON:
                await self._move_to_poison(message)
            case Completion.LEAVE_HIDDEN:
                pass

    async def _move_to_poison(self, message: ReceivedMessage) -> None:
        if self._poison_queue is None:
            return
        log.warning(
            "Message %s of queue '%s', dequeue count %d, is moved to queue '%s'",
            *(message.id, self.queue_name, message.dequeue_count, self._poison_queue.name),
        )
        await self._poison_queue.add(message.text)
        self._on_added(self._poison_queue.name)
        await self._unless_taken(self._queue.delete(message))

    async def _unless_taken(self, change: Awaitable[object]) -> None:
        try:
            await change
        except AzureError as error:
            if not is_taken_or_gone(error):
                raise
