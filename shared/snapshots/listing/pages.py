"""Fetch pages from the service through its troubles, with bounded patience."""

import random
import time
from collections.abc import Callable
from threading import Event

import msgspec

from shared.face.client import FaceClient
from shared.face.errors import FaceError, InvalidResponse, ServerFault, Throttled, Unreachable
from shared.snapshots.listing.lines import without_user_data

PATIENCE_SECONDS = 600.0
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.5, 30.0


class Page(msgspec.Struct, frozen=True):
    """Hold one page: IDs and lines in the service's order, its ``size`` as it came (bytes), and what it took to get."""

    ids: list[str]
    lines: list[bytes]
    size: int
    calls: int
    throttled: int


class PageReader:
    """Read pages of ``top`` groups; may be shared by threads."""

    def __init__(
        self,
        client: FaceClient,
        *,
        top: int,
        include_user_data: bool,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._top = top
        self._include_user_data = include_user_data
        self._patience = patience
        self._clock = clock
        self._stopped = Event()

    def read(self, after: str) -> Page:
        """Return the page behind the ID ``after``.

        Try again, with exponential backoff and jitter or as long as the service asks, what may pass by itself.

        Raises:
            FaceError: what the service answered last, once the next try would be later than the patience
                allows; at once what will not pass (401, 403, 404 and other refusals).
        """
        deadline = self._clock() + self._patience
        calls = throttled = 0
        while True:
            calls += 1
            try:
                groups = self._client.dynamic_person_groups(after, self._top)
            except (Throttled, ServerFault, Unreachable, InvalidResponse) as error:
                throttled += isinstance(error, Throttled)
                self._wait(error, calls, deadline)
            else:
                lines = [group.body for group in groups]
                size = sum(map(len, lines))
                if not self._include_user_data:
                    lines = [without_user_data(line) for line in lines]
                return Page([group.group_id for group in groups], lines, size, calls, throttled)

    def stop(self) -> None:
        """End the waits of all threads: the error that they wait out is raised."""
        self._stopped.set()

    def _wait(self, error: FaceError, failures: int, deadline: float) -> None:
        wait = error.wait
        if wait is None:
            wait = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10))
            wait *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
        if self._clock() + wait > deadline or self._stopped.wait(wait):
            raise error
