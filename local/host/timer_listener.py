"""Runs a function at the times of its schedule, one run at a time."""

import logging
from asyncio import Event
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from azure.core.exceptions import AzureError

from local.host.clock import Clock, wait_at_most
from local.host.queue_storage import is_transient
from local.host.schedule import Schedule
from local.host.timer_status import ScheduleStatus, StatusBlob, status_at_start

RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class TimerRun(msgspec.Struct, frozen=True):
    """What a run of the function is told."""

    status: ScheduleStatus | None  # None where no status is kept
    past_due: bool  # a time was missed before the host's start


class TimerListener:
    """A listener to the times of a schedule, as ``TimerListener`` in Azure/azure-webjobs-sdk-extensions.

    A function that still runs at its next time runs once more as soon as it has ended; further times that were missed
    are dropped. ``invoke`` never raises. Without a ``monitor`` no status is kept.
    """

    def __init__(
        self,
        schedule: Schedule,
        invoke: Callable[[TimerRun], Awaitable[object]],
        *,
        run_on_startup: bool,
        monitor: StatusBlob | None,
        clock: Clock,
    ) -> None:
        self._schedule = schedule
        self._invoke = invoke
        self._run_on_startup = run_on_startup
        self._monitor = monitor
        self._clock = clock
        self._stopping = Event()

    def stop(self) -> None:
        """Start no further run; ``run`` returns when the one that runs has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Run the function at its times until ``stop``.

        Raises:
            AzureError: the storage of the status has an error that waiting does not mend.
        """
        status = await self._status_at_start()
        past_due = self._clock.now() > status.next
        if (past_due or self._run_on_startup) and not self._stopping.is_set():
            status = await self._fire(status, self._clock.now(), past_due=past_due)
        while await self._wait_until(status.next):
            # A clock that is behind the schedule must not make the same time the next one again.
            status = await self._fire(status, max(self._clock.now(), status.next))

    async def _status_at_start(self) -> ScheduleStatus:
        stored = await self._read_status() if self._monitor else None
        status = status_at_start(stored, self._schedule, self._clock.now())
        if self._monitor and status != stored:
            await self._monitor.write(status)
        return status

    async def _read_status(self) -> ScheduleStatus | None:
        """Return the stored status; wait for a storage that starts later than the host, where the real one restarts."""
        while self._monitor and not self._stopping.is_set():
            try:
                return await self._monitor.read()
            except AzureError as error:
                if not is_transient(error):
                    raise
                log.info("The storage of a timer's status does not respond; trying again: %s", error)
                await wait_at_most(self._clock, RETRY_SECONDS, self._stopping)
        return None

    async def _fire(self, status: ScheduleStatus, started: datetime, *, past_due: bool = False) -> ScheduleStatus:
        await self._invoke(TimerRun(status if self._monitor else None, past_due))
        status = ScheduleStatus(self._schedule.next_after(started), last=started, last_updated=started)
        if self._monitor:
            await self._monitor.write(status)
        return status

    async def _wait_until(self, time: datetime) -> bool:
        """Wait, and return False when there is nothing to wait for any more."""
        while (seconds := (time - self._clock.now()).total_seconds()) > 0 and not self._stopping.is_set():
            await wait_at_most(self._clock, seconds, self._stopping)
        return not self._stopping.is_set()
