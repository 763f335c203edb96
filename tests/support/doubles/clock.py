"""Keep time that passes only when it is told to."""

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Return a moment in UTC when called."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def advance_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment)
