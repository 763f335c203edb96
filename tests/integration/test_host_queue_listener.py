"""The stand-in's queue listener on real queues, with minutes that pass at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError, ServiceRequestError
from azure.storage.queue import QueueClient, QueueServiceClient
from msgspec.structs import replace

from local.azurite import Azurite
from local.host.clock import SystemClock
from local.host.host_json import QueueSettings
from local.host.queue_listener import QueueListener
from local.host.queue_message import ReceivedMessage
from local.host.queue_storage import StorageQueue
from tests.support.stepped_clock import SteppedClock
from tests.support.waiting import wait_for

pytestmark = pytest.mark.anyio

PLAIN = QueueSettings(message_encoding="none", new_batch_threshold=8)


def storage_error(status: int, code: str) -> HttpResponseError:
    error = HttpResponseError(code)
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]  # the storage clients set it
    return error


@dataclass
class Function:
    """The function behind the listener: notes what it gets, and ends as and when the test says."""

    started: asyncio.Queue[tuple[ReceivedMessage, bytes]] = field(default_factory=asyncio.Queue)
    ended: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    succeeds: bool = True
    at_once: bool = True
    meanwhile: Callable[[ReceivedMessage], object] = lambda _: None
    running: int = 0
    invocations: int = 0

    async def __call__(self, message: ReceivedMessage, body: bytes) -> bool:
        self.running += 1
        self.invocations += 1
        self.started.put_nowait((message, body))
        if not self.at_once:
            await self.ended.acquire()
        await asyncio.to_thread(self.meanwhile, message)
        self.running -= 1
        return self.succeeds

    async def next_start(self) -> tuple[ReceivedMessage, bytes]:
        return await asyncio.wait_for(self.started.get(), 30)


class WatchedQueue(StorageQueue):
    """A real queue that notes what the listener asks of it, and fails where the test says so."""

    def __init__(self, client: QueueClient) -> None:
        super().__init__(client)
        self.calls: list[str] = []
        self.hidden_for: list[float] = []
        self.failures: dict[str, list[AzureError]] = {}

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if failures := self.failures.get(call):
            raise failures.pop(0)

    async def exists(self) -> bool:
        self._note("exists")
        return await super().exists()

    async def receive(self, count: int) -> list[ReceivedMessage]:
        self._note("receive")
        return await super().receive(count)

    async def hide(self, message: ReceivedMessage, seconds: float) -> ReceivedMessage:
        self.hidden_for.append(seconds)
        self._note("hide")
        return await super().hide(message, seconds)

    async def delete(self, message: ReceivedMessage) -> None:
        self._note("delete")
        await super().delete(message)

    async def add(self, text: str) -> None:
        self._note("add")
        await super().add(text)


@dataclass
class Setting:
    """A queue with its poison queue, a function and a clock, for a listener."""

    client: QueueClient
    poison_client: QueueClient
    function: Function = field(default_factory=Function)
    clock: SteppedClock = field(default_factory=SteppedClock)
    runs_in_real_time: bool = False
    added_to: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue = WatchedQueue(self.client)
        self.poison_queue = WatchedQueue(self.poison_client)

    @asynccontextmanager
    async def listening(
        self, settings: QueueSettings = PLAIN, *, has_poison_queue: bool = True
    ) -> AsyncIterator[QueueListener]:
        listener = QueueListener(
            self.queue,
            self.poison_queue if has_poison_queue else None,
            settings,
            self.function,
            on_added=self.added_to.append,
            clock=SystemClock() if self.runs_in_real_time else self.clock,
        )
        task = asyncio.create_task(listener.run())
        try:
            yield listener
        finally:
            listener.stop()
            self.function.at_once = True
            for _ in range(self.function.running):
                self.function.ended.release()
            await asyncio.wait_for(task, 30)

    async def idle(self) -> float:
        """Wait until the listener has found nothing and waits, and return for how long."""
        while (seconds := await self.clock.next_sleep()) == 300:
            pass  # a renewal's wait
        return seconds

    def texts(self, client: QueueClient) -> list[str]:
        return [message.content for message in client.peek_messages(32)]


@pytest.fixture
def queues(azurite: Azurite) -> Iterator[QueueServiceClient]:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service


@pytest.fixture
def setting(queues: QueueServiceClient) -> Setting:
    name = f"q{uuid.uuid4().hex}"
    made = Setting(queues.get_queue_client(name), queues.get_queue_client(f"{name}-poison"))
    made.client.create_queue()
    return made


def receive_and_release(client: QueueClient, times: int) -> None:
    for _ in range(times):
        message = client.receive_message()
        assert message is not None
        client.update_message(message, visibility_timeout=0)


async def condition(holds: Callable[[], object]) -> None:
    """Wait until something holds outside of the event loop."""
    await asyncio.to_thread(wait_for, holds, what="a condition of the test")


# Receiving


async def test_a_batch_is_received_hidden_for_ten_minutes(setting: Setting) -> None:
    for number in range(3):
        setting.client.send_message(str(number))
    setting.function.at_once = False
    async with setting.listening(replace(PLAIN, batch_size=2, new_batch_threshold=1)):
        message, _ = await setting.function.next_start()
        await setting.function.next_start()
        assert message.next_visible_on is not None
        assert message.inserted_on is not None
        hidden_for = message.next_visible_on - message.inserted_on
        assert timedelta(seconds=600) <= hidden_for < timedelta(seconds=630)
        assert setting.texts(setting.client) == ["2"]


async def test_the_next_batch_is_fetched_when_no_more_than_the_threshold_run(setting: Setting) -> None:
    for number in range(6):
        setting.client.send_message(str(number))
    setting.function.at_once = False
    async with setting.listening(replace(PLAIN, batch_size=2, new_batch_threshold=1)):
        await setting.function.next_start()
        await setting.function.next_start()
        assert setting.queue.calls.count("receive") == 1
        setting.function.ended.release()  # one runs on, which is the threshold
        await setting.function.next_start()
        await setting.function.next_start()
        assert setting.queue.calls.count("receive") == 2
        assert setting.function.running == 3  # batch size and threshold
        assert len(setting.texts(setting.client)) == 2
        setting.function.at_once = True


async def test_polls_that_find_nothing_back_off_up_to_the_maximum(setting: Setting) -> None:
    async with setting.listening(replace(PLAIN, max_polling_interval=1.0)):
        waits = []
        for _ in range(8):
            waits.append(await setting.idle())
            setting.clock.advance(waits[-1])
    assert waits[0] == pytest.approx(0.1)
    for polls, wait in enumerate(waits[1:4]):
        assert 0.1 + 0.1 * 2**polls * 0.8 <= wait <= 0.1 + 0.1 * 2**polls * 1.2
    assert waits[5:] == [1.0, 1.0, 1.0]


async def test_anything_received_resets_the_back_off(setting: Setting) -> None:
    async with setting.listening():
        for _ in range(4):
            wait = await setting.idle()
            setting.clock.advance(wait)
        assert await setting.idle() > 0.5
        setting.client.send_message("a")
        setting.clock.advance(60)
        await setting.function.next_start()
        assert await setting.idle() == pytest.approx(0.1)


async def test_a_message_added_by_the_host_ends_the_wait(setting: Setting) -> None:
    async with setting.listening() as listener:
        await setting.idle()
        setting.client.send_message("a")
        listener.wake()
        await setting.function.next_start()


# The queue itself


async def test_the_queue_is_looked_for_once_before_it_is_received_from(setting: Setting) -> None:
    async with setting.listening():
        setting.clock.advance(await setting.idle())
        await setting.idle()
    assert setting.queue.calls == ["exists", "receive", "receive"]


async def test_a_missing_queue_is_waited_for_and_not_made(setting: Setting) -> None:
    setting.client.delete_queue()
    async with setting.listening():
        setting.clock.advance(await setting.idle())
        wait = await setting.idle()
        assert setting.queue.calls == ["exists", "exists"]
        setting.client.create_queue()
        setting.client.send_message("a")
        setting.clock.advance(wait)
        await setting.function.next_start()


@pytest.mark.parametrize(
    "error",
    [
        storage_error(404, "QueueNotFound"),
        storage_error(409, "QueueBeingDeleted"),
        storage_error(409, "QueueDisabled"),
        storage_error(500, "InternalError"),
        storage_error(503, "ServerBusy"),
        ServiceRequestError("no connection"),
    ],
    ids=lambda error: getattr(error, "error_code", "NoConnection"),
)
async def test_an_error_that_passes_backs_off_and_looks_for_the_queue_again(
    setting: Setting, error: AzureError
) -> None:
    setting.queue.failures["receive"] = [error]
    setting.client.send_message("a")
    async with setting.listening():
        setting.clock.advance(await setting.idle())
        await setting.function.next_start()
    assert setting.queue.calls[:4] == ["exists", "receive", "exists", "receive"]


async def test_any_other_error_stops_the_listener(setting: Setting) -> None:
    setting.queue.failures["receive"] = [storage_error(403, "AuthorizationFailure")]
    with pytest.raises(HttpResponseError, match="AuthorizationFailure"):
        async with setting.listening():
            await condition(lambda: "receive" in setting.queue.calls)


# The lease


async def test_the_lease_is_renewed_every_five_minutes_while_the_function_runs(setting: Setting) -> None:
    setting.client.send_message("a")
    setting.function.at_once = False
    async with setting.listening() as listener:
        await setting.function.next_start()
        for renewals_before in range(2):
            assert await renewal_wait(setting) == 300
            setting.clock.advance(299)
            await poll_again(setting, listener)
            assert setting.queue.hidden_for == [600] * renewals_before
            setting.clock.advance(1)
        assert await renewal_wait(setting) == 300
        assert setting.queue.hidden_for == [600, 600]
        setting.function.ended.release()
        # The pop receipt of the newest renewal is the one that deletes.
        await condition(lambda: setting.client.get_queue_properties().approximate_message_count == 0)


async def test_a_renewal_that_failed_is_tried_again_sooner(setting: Setting) -> None:
    setting.queue.failures["hide"] = [storage_error(500, "InternalError")]
    setting.client.send_message("a")
    setting.function.at_once = False
    async with setting.listening():
        await setting.function.next_start()
        setting.clock.advance(await renewal_wait(setting))
        assert await renewal_wait(setting) == 150
        setting.clock.advance(150)
        assert await renewal_wait(setting) == 300


async def test_a_message_that_somebody_else_took_is_not_renewed_again(setting: Setting) -> None:
    setting.queue.failures["hide"] = [storage_error(404, "MessageNotFound")]
    setting.client.send_message("a")
    setting.function.at_once = False
    async with setting.listening():
        await setting.function.next_start()
        setting.clock.advance(await renewal_wait(setting))
        await condition(lambda: setting.queue.hidden_for)
        setting.clock.advance(3600)
        setting.function.ended.release()
        await condition(lambda: "delete" in setting.queue.calls)
    assert setting.queue.hidden_for == [600]


async def renewal_wait(setting: Setting) -> float:
    """Wait until the renewal waits, and return for how long; the listener's own waits are far shorter."""
    while (seconds := await setting.clock.next_sleep()) < 60:
        pass
    return seconds


async def poll_again(setting: Setting, listener: QueueListener) -> None:
    """Have the listener poll the queue once more, after the poll that it may be at."""
    polls = setting.queue.calls.count("receive")
    loop = asyncio.get_running_loop()

    def polled() -> bool:
        loop.call_soon_threadsafe(listener.wake)
        return setting.queue.calls.count("receive") >= polls + 2

    await condition(polled)


# What becomes of a message


async def test_a_message_is_deleted_when_its_function_succeeds(setting: Setting) -> None:
    setting.client.send_message("a")
    async with setting.listening():
        _, body = await setting.function.next_start()
        await condition(lambda: setting.client.get_queue_properties().approximate_message_count == 0)
    assert body == b"a"
    assert setting.function.invocations == 1


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_message_that_somebody_else_received_meanwhile_is_left_to_them(
    setting: Setting, succeeds: bool, caplog: pytest.LogCaptureFixture
) -> None:
    setting.runs_in_real_time = True
    setting.client.send_message("a")
    setting.function.succeeds = succeeds
    setting.function.meanwhile = lambda message: setting.client.update_message(
        message.id or "", message.pop_receipt, visibility_timeout=0
    )
    async with setting.listening():
        await setting.function.next_start()
        # The first one's receipt no longer fits, and the message is there for the next.
        setting.function.meanwhile = lambda _: None
        message, _ = await setting.function.next_start()
        assert message.dequeue_count == 2
    assert "comes back when its lease is over" not in caplog.text


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_message_that_is_gone_meanwhile_is_no_error(
    setting: Setting, succeeds: bool, caplog: pytest.LogCaptureFixture
) -> None:
    setting.client.send_message("a")
    setting.function.succeeds = succeeds
    setting.function.meanwhile = lambda message: setting.client.delete_message(message.id or "", message.pop_receipt)
    async with setting.listening():
        await setting.function.next_start()
        await condition(lambda: {"delete", "hide"} & set(setting.queue.calls))
    assert "comes back when its lease is over" not in caplog.text


async def test_a_message_that_cannot_be_deleted_now_leaves_the_listener_going(setting: Setting) -> None:
    setting.queue.failures["delete"] = [storage_error(500, "InternalError")]
    setting.client.send_message("a")
    async with setting.listening() as listener:
        await setting.function.next_start()
        await condition(lambda: "delete" in setting.queue.calls)
        setting.client.send_message("b")
        await poll_again(setting, listener)
        assert (await setting.function.next_start())[1] == b"b"


async def test_a_failed_message_is_tried_five_times_at_once_and_then_poisoned(setting: Setting) -> None:
    setting.runs_in_real_time = True
    setting.client.send_message("a")
    setting.function.succeeds = False
    async with setting.listening():
        counts = [(await setting.function.next_start())[0].dequeue_count for _ in range(5)]
        await condition(lambda: setting.client.get_queue_properties().approximate_message_count == 0)
    assert counts == [1, 2, 3, 4, 5]
    assert setting.function.invocations == 5
    assert setting.texts(setting.poison_client) == ["a"]
    assert setting.added_to == [setting.poison_client.queue_name]


async def test_a_failed_message_stays_hidden_for_the_visibility_timeout(setting: Setting) -> None:
    setting.client.send_message("a")
    setting.function.succeeds = False
    async with setting.listening(replace(PLAIN, visibility_timeout=30.0)):
        await setting.function.next_start()
        await condition(lambda: setting.queue.hidden_for)
    assert setting.queue.hidden_for == [30.0]
    assert setting.texts(setting.client) == []
    assert setting.function.invocations == 1


async def test_the_maximum_dequeue_count_is_the_settings(setting: Setting) -> None:
    setting.runs_in_real_time = True
    setting.client.send_message("a")
    setting.function.succeeds = False
    async with setting.listening(replace(PLAIN, max_dequeue_count=2)):
        await condition(lambda: exists(setting.poison_client))
    assert setting.function.invocations == 2


async def test_a_message_received_too_often_is_poisoned_without_an_invocation(setting: Setting) -> None:
    setting.client.send_message("a")
    receive_and_release(setting.client, 5)
    async with setting.listening():
        await condition(lambda: exists(setting.poison_client) and setting.texts(setting.poison_client) == ["a"])
        await condition(lambda: setting.client.get_queue_properties().approximate_message_count == 0)
    assert setting.function.invocations == 0


async def test_the_poison_copy_is_a_new_message_that_lives_seven_days(setting: Setting) -> None:
    original = setting.client.send_message("a", time_to_live=-1)
    setting.poison_client.create_queue()
    setting.function.succeeds = False
    async with setting.listening(replace(PLAIN, max_dequeue_count=1)):
        await condition(lambda: setting.texts(setting.poison_client))
    (copy,) = setting.poison_client.peek_messages(32)
    assert copy.id != original.id
    assert copy.dequeue_count == 0
    assert copy.expires_on is not None
    assert copy.inserted_on is not None
    assert copy.expires_on - copy.inserted_on == timedelta(days=7)


@pytest.mark.parametrize("encoding", ["none", "base64"])
async def test_a_message_that_cannot_be_poisoned_now_stays_where_it_is(
    setting: Setting, encoding: Literal["none", "base64"], caplog: pytest.LogCaptureFixture
) -> None:
    setting.poison_queue.failures["add"] = [storage_error(500, "InternalError")]
    setting.client.send_message("my-group")
    setting.function.succeeds = False
    async with setting.listening(replace(PLAIN, max_dequeue_count=1, message_encoding=encoding)):
        await condition(lambda: "add" in setting.poison_queue.calls)
    assert setting.client.get_queue_properties().approximate_message_count == 1
    assert "comes back when its lease is over: InternalError" in caplog.text


async def test_two_messages_poisoned_at_once_make_the_missing_queue_once(setting: Setting) -> None:
    for number in range(8):
        setting.client.send_message(str(number))
    setting.function.succeeds = False
    async with setting.listening(replace(PLAIN, max_dequeue_count=1)):
        await condition(lambda: exists(setting.poison_client) and len(setting.texts(setting.poison_client)) == 8)


async def test_a_message_of_a_poison_queue_is_not_tried_more_often_than_the_maximum(setting: Setting) -> None:
    setting.client.send_message("spent")
    receive_and_release(setting.client, 5)
    setting.client.send_message("fresh")
    async with setting.listening(has_poison_queue=False) as listener:
        message, _ = await setting.function.next_start()
        assert message.text == "fresh"
        await poll_again(setting, listener)
    assert setting.client.get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("received_before", [0, 4])
async def test_a_message_that_fails_in_a_poison_queue_stays_hidden(setting: Setting, received_before: int) -> None:
    setting.client.send_message("a")
    receive_and_release(setting.client, received_before)
    setting.function.succeeds = False
    async with setting.listening(has_poison_queue=False) as listener:
        message, _ = await setting.function.next_start()
        assert message.dequeue_count == received_before + 1
        await poll_again(setting, listener)
    assert setting.queue.hidden_for == []
    assert setting.texts(setting.client) == []
    assert setting.client.get_queue_properties().approximate_message_count == 1
    assert not exists(setting.poison_client)


# The encoding


async def test_under_base64_the_function_gets_the_decoded_body(setting: Setting) -> None:
    setting.client.send_message("Z3LDvG4=")
    async with setting.listening(replace(PLAIN, message_encoding="base64")):
        _, body = await setting.function.next_start()
    assert body == "grün".encode()


async def test_a_body_that_is_no_base64_is_poisoned_as_it_is_without_an_invocation(setting: Setting) -> None:
    setting.client.send_message("my-group")
    async with setting.listening(replace(PLAIN, message_encoding="base64")):
        await condition(lambda: exists(setting.poison_client) and setting.texts(setting.poison_client) == ["my-group"])
        await condition(lambda: setting.client.get_queue_properties().approximate_message_count == 0)
    assert setting.function.invocations == 0


# The end


async def test_stopping_lets_what_runs_end_and_receives_nothing_more(setting: Setting) -> None:
    setting.client.send_message("a")
    setting.function.at_once = False
    async with setting.listening() as listener:
        await setting.function.next_start()
        await setting.idle()
        listener.stop()
        setting.client.send_message("b")
        setting.clock.advance(60)
    assert setting.function.invocations == 1
    assert setting.texts(setting.client) == ["b"]


def exists(client: QueueClient) -> bool:
    with suppress(ResourceNotFoundError):
        client.get_queue_properties()
        return True
    return False
