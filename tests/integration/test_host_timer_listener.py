"""The stand-in's timer with its status in a real blob, and minutes that pass at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.host.schedule import Schedule
from local.host.timer_listener import TimerListener, TimerRun
from local.host.timer_status import CONTAINER, StatusBlob
from tests.support.stepped_clock import SteppedClock

pytestmark = pytest.mark.anyio

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)


@dataclass
class Function:
    """The function behind the timer: notes its runs, and ends when the test says."""

    runs: asyncio.Queue[TimerRun] = field(default_factory=asyncio.Queue)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0

    async def __call__(self, run: TimerRun) -> None:
        self.running += 1
        assert self.running == 1, "two runs overlap"
        self.runs.put_nowait(run)
        await self.may_end.wait()
        self.running -= 1

    async def next_run(self) -> TimerRun:
        return await asyncio.wait_for(self.runs.get(), 30)


@dataclass
class Timer:
    """A timer of every five minutes, which is started and stopped as its host is."""

    monitor: StatusBlob | None
    clock: SteppedClock = field(default_factory=lambda: SteppedClock(TEN))

    @asynccontextmanager
    async def listening(self, function: Function, *, run_on_startup: bool = False) -> AsyncIterator[TimerListener]:
        schedule = Schedule("0 */5 * * * *")
        listener = TimerListener(
            schedule, function, run_on_startup=run_on_startup, monitor=self.monitor, clock=self.clock
        )
        task = asyncio.create_task(listener.run())
        yield listener
        function.may_end.set()
        listener.stop()
        await asyncio.wait_for(task, 30)


@pytest.fixture
def timer(azurite: Azurite) -> Timer:
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    return Timer(StatusBlob(service, host_id=uuid.uuid4().hex, function_name="tick"))


@pytest.fixture
def function() -> Function:
    """Return a function that ends at once."""
    made = Function()
    made.may_end.set()
    return made


async def test_a_function_runs_at_the_times_of_its_schedule(timer: Timer, function: Function) -> None:
    async with timer.listening(function):
        for minutes in (5, 10):
            assert await timer.clock.next_sleep() == 300
            assert function.runs.empty()
            timer.clock.advance(300)
            run = await function.next_run()
            assert run.status is not None
            assert run.status.next == TEN.replace(minute=minutes)
            assert not run.past_due


async def test_the_second_run_is_told_of_the_first(timer: Timer, function: Function) -> None:
    async with timer.listening(function):
        for _ in range(2):
            timer.clock.advance(await timer.clock.next_sleep())
            run = await function.next_run()
    assert run.status is not None
    assert run.status.last == TEN.replace(minute=5)


async def test_it_runs_at_once_where_it_is_to_run_on_startup(timer: Timer, function: Function) -> None:
    async with timer.listening(function, run_on_startup=True):
        run = await function.next_run()
    assert run.status is not None
    assert run.status.next == TEN.replace(minute=5)
    assert not run.past_due


async def test_a_run_that_outlasts_its_interval_is_followed_by_one_run_at_once(timer: Timer) -> None:
    function = Function()
    async with timer.listening(function):
        timer.clock.advance(await timer.clock.next_sleep())
        await function.next_run()
        timer.clock.advance(12 * 60)  # 10:17; 10:10 and 10:15 are past
        function.may_end.set()
        run = await function.next_run()
        assert run.status is not None
        assert run.status.next == TEN.replace(minute=10)
        assert not run.past_due
        assert await timer.clock.next_sleep() == 180
        assert function.runs.empty()


async def test_a_time_that_was_missed_while_no_host_ran_is_past_due(timer: Timer, function: Function) -> None:
    async with timer.listening(function):
        timer.clock.advance(await timer.clock.next_sleep())
        await function.next_run()
        await timer.clock.next_sleep()
    timer.clock.advance(12 * 60)
    async with timer.listening(function, run_on_startup=True):
        run = await function.next_run()
        assert run.past_due
        assert run.status is not None
        assert (run.status.last, run.status.next) == (TEN.replace(minute=5), TEN.replace(minute=10))
        assert await timer.clock.next_sleep() == 180
        assert function.runs.empty(), "a past due time and the start-up are one run"


async def test_a_start_that_missed_no_time_waits_for_the_next(timer: Timer, function: Function) -> None:
    async with timer.listening(function):
        await timer.clock.next_sleep()
    timer.clock.advance(60)
    async with timer.listening(function):
        assert await timer.clock.next_sleep() == 240
        assert function.runs.empty()


async def test_without_a_status_nothing_is_past_due(function: Function) -> None:
    timer = Timer(monitor=None)
    for _ in range(2):
        async with timer.listening(function):
            timer.clock.advance(await timer.clock.next_sleep())
            assert await function.next_run() == TimerRun(status=None, past_due=False)
            await timer.clock.next_sleep()
        timer.clock.advance(12 * 60)


async def test_a_status_that_cannot_be_read_is_written_anew(azurite: Azurite, timer: Timer, function: Function) -> None:
    async with timer.listening(function):
        await timer.clock.next_sleep()
    container = BlobServiceClient.from_connection_string(azurite.connection_string).get_container_client(CONTAINER)
    for blob in container.list_blob_names():
        container.upload_blob(blob, b'{"Next": "soon"}', overwrite=True)
    timer.clock.advance(12 * 60)
    async with timer.listening(function):
        assert await timer.clock.next_sleep() == 180
        assert function.runs.empty()


async def test_stopping_lets_the_run_end_and_starts_no_other(timer: Timer) -> None:
    function = Function()
    async with timer.listening(function) as listener:
        timer.clock.advance(await timer.clock.next_sleep())
        await function.next_run()
        listener.stop()
        timer.clock.advance(600)
    assert function.runs.empty()
