"""A clock whose time passes when the test says so."""

import asyncio
from datetime import UTC, datetime, timedelta


class SteppedClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 10, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self._sleeps: asyncio.Queue[float] = asyncio.Queue()

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let so many seconds pass."""
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + timedelta(seconds=seconds), until))
        self._sleeps.put_nowait(seconds)
        await until

    async def next_sleep(self) -> float:
        """Wait until somebody begins to wait, and return for how many seconds."""
        return await asyncio.wait_for(self._sleeps.get(), 30)

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake those whose wait is over."""
        self._now += timedelta(seconds=seconds)
        for due, until in self._sleepers:
            if due <= self._now and not until.done():
                until.set_result(None)
