"""Runs a function at the times of its schedule, one run at a time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from local.host.clock import Clock, wait_at_most
from local.host.schedule import Schedule

# DateTime.MinValue: a timer that has not run yet.
_NEVER = "0001-01-01T00:00:00+00:00"


class ScheduleStatus(msgspec.Struct, frozen=True):
    """When a timer ran last, and when it runs next."""

    next: datetime
    last: datetime | None = None


def timer_request(status: ScheduleStatus | None) -> str:
    """Return the JSON of which the worker makes a TimerRequest; without a status where the timer is not monitored.

    A run is never past due: the stand-in keeps no status from one start to the next.
    """
    return json.dumps(
        {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status
            and {
                "Last": status.last.isoformat() if status.last else _NEVER,
                "LastUpdated": status.last.isoformat() if status.last else _NEVER,
                "Next": status.next.isoformat(),
            },
            "IsPastDue": False,
        }
    )


class TimerListener:
    """Waits for each of a schedule's times and runs the function then.

    A time that passes while the function still runs is left out, as it is by the host. ``invoke`` gets the
    status and raises nothing.
    """

    def __init__(
        self,
        schedule: Schedule,
        invoke: Callable[[ScheduleStatus], Awaitable[object]],
        *,
        run_on_startup: bool,
        clock: Clock,
    ) -> None:
        self._schedule = schedule
        self._invoke = invoke
        self._run_on_startup = run_on_startup
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Start no further run; ``run`` returns when the one that runs has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Run the function at its times until ``stop``."""
        status = ScheduleStatus(next=self._schedule.next_after(self._clock.now()))
        if self._run_on_startup:
            status = await self._fire(status)
        while await self._wait_until(status.next):
            status = await self._fire(status)

    async def _fire(self, status: ScheduleStatus) -> ScheduleStatus:
        started = self._clock.now()
        await self._invoke(status)
        return ScheduleStatus(next=self._schedule.next_after(self._clock.now()), last=started)

    async def _wait_until(self, time: datetime) -> bool:
        """Wait, and return False when there is nothing to wait for any more."""
        while (seconds := (time - self._clock.now()).total_seconds()) > 0 and not self._stopping.is_set():
            await wait_at_most(self._clock, seconds, self._stopping)
        return not self._stopping.is_set()
