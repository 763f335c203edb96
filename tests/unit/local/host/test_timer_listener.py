import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from local.host.schedule import Schedule
from local.host.timer_listener import ScheduleStatus, TimerListener, timer_request
from tests.support.stepped_clock import SteppedClock

pytestmark = pytest.mark.anyio

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)


@dataclass
class Function:
    runs: asyncio.Queue[ScheduleStatus] = field(default_factory=asyncio.Queue)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, status: ScheduleStatus) -> None:
        self.runs.put_nowait(status)
        await self.may_end.wait()

    async def next_run(self) -> ScheduleStatus:
        return await asyncio.wait_for(self.runs.get(), 30)


@asynccontextmanager
async def listening(
    function: Function, clock: SteppedClock, *, run_on_startup: bool = False
) -> AsyncIterator[TimerListener]:
    schedule = Schedule("0 */5 * * * *")
    listener = TimerListener(schedule, function, run_on_startup=run_on_startup, clock=clock)
    task = asyncio.create_task(listener.run())
    yield listener
    function.may_end.set()
    listener.stop()
    await asyncio.wait_for(task, 30)


async def test_a_function_runs_at_the_times_of_its_schedule() -> None:
    function, clock = Function(), SteppedClock(TEN)
    function.may_end.set()
    async with listening(function, clock):
        for minutes in (5, 10):
            assert await clock.next_sleep() == 300
            assert function.runs.empty()
            clock.advance(300)
            assert (await function.next_run()).next == TEN.replace(minute=minutes)


async def test_the_second_run_is_told_of_the_first() -> None:
    function, clock = Function(), SteppedClock(TEN)
    function.may_end.set()
    async with listening(function, clock):
        clock.advance(await clock.next_sleep())
        assert (await function.next_run()).last is None
        clock.advance(await clock.next_sleep())
        assert (await function.next_run()).last == TEN.replace(minute=5)


async def test_it_runs_at_once_where_it_is_to_run_on_startup() -> None:
    function, clock = Function(), SteppedClock(TEN)
    async with listening(function, clock, run_on_startup=True):
        assert (await function.next_run()).next == TEN.replace(minute=5)


async def test_times_that_pass_while_it_runs_are_left_out() -> None:
    function, clock = Function(), SteppedClock(TEN)
    async with listening(function, clock):
        clock.advance(await clock.next_sleep())
        await function.next_run()
        clock.advance(12 * 60)  # 10:17; 10:10 and 10:15 are past
        function.may_end.set()
        assert await clock.next_sleep() == 180
        assert function.runs.empty()


async def test_stopping_lets_the_run_end_and_starts_no_other() -> None:
    function, clock = Function(), SteppedClock(TEN)
    async with listening(function, clock) as listener:
        clock.advance(await clock.next_sleep())
        await function.next_run()
        listener.stop()
        clock.advance(600)
    assert function.runs.empty()


def test_the_request_is_what_the_worker_reads() -> None:
    status = ScheduleStatus(next=TEN.replace(minute=10), last=TEN.replace(minute=5))
    assert json.loads(timer_request(status)) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": "2026-11-21T10:05:00+00:00",
            "LastUpdated": "2026-11-21T10:05:00+00:00",
            "Next": "2026-11-21T10:10:00+00:00",
        },
        "IsPastDue": False,
    }


def test_a_timer_that_is_not_monitored_has_no_status() -> None:
    assert json.loads(timer_request(None))["ScheduleStatus"] is None
