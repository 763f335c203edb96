"""Pages fetched from the service through its troubles, with bounded patience."""

import random
import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

import msgspec

from shared.face.errors import FaceError, InvalidResponse, ServerFault, Throttled, Unreachable
from shared.face.page import ListedGroup, ListedKind
from shared.snapshots.errors import ListingStuck
from shared.snapshots.listing.lines import without_user_data
from shared.snapshots.stored.manifest import Unreadable
from shared.snapshots.stored.progress import MAX_UNREADABLE

PATIENCE_SECONDS = 600.0
_FIRST_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.5, 30.0


class Page(msgspec.Struct, frozen=True):
    """One page, in the service's order."""

    ids: list[str]
    lines: list[bytes]
    calls: int  # that it took to get it
    throttled: int  # calls that were responded to with 429
    unreadable: list[Unreadable] = []  # groups that no line can hold
    end: str = ""  # the last ID, also where that group is unreadable; empty where the page is


class PageSource(Protocol):
    """What responds with pages: the client of the service."""

    def groups(self, kind: ListedKind, start: str = "", top: int = 0) -> list[ListedGroup]:
        """Return the page behind an ID."""


class Retry:
    """Patience with the service's troubles, which threads may share."""

    def __init__(self, patience: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._stopped = Event()

    def call[T](self, make: Callable[[], T]) -> tuple[T, int, int]:
        """Return what a call brings, how many calls it took, and how many of them were throttled.

        Try again, with exponential backoff and jitter or as long as the service asks, what may pass by itself.

        Raises:
            FaceError: what the service responded with last, once the next try would be later than the patience
                allows; at once what will not pass (401, 403, 404 and other client errors).
        """
        deadline = self._clock() + self._patience
        calls = throttled = 0
        while True:
            calls += 1
            try:
                return make(), calls, throttled
            except (Throttled, ServerFault, Unreachable, InvalidResponse) as error:
                throttled += isinstance(error, Throttled)
                self._wait(error, calls, deadline)

    def stop(self) -> None:
        """End the waits of all threads: the error that they wait out is raised."""
        self._stopped.set()

    def _wait(self, error: FaceError, failures: int, deadline: float) -> None:
        wait = error.wait
        if wait is None:
            wait = min(_MAX_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10))
            wait *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
        if self._clock() + wait > deadline or self._stopped.wait(wait):
            raise error


def _joined(page: Page, following: Page) -> Page:
    """Return a page that has no readable groups together with the one behind it."""
    return Page(
        following.ids,
        following.lines,
        calls=page.calls + following.calls,
        throttled=page.throttled + following.throttled,
        unreadable=page.unreadable + following.unreadable,
        end=following.end or page.end,
    )


class PageReader:
    """A reader of pages of ``top`` groups, which threads may share."""

    def __init__(
        self, source: PageSource, kind: ListedKind, *, top: int, include_user_data: bool, retry: Retry | None = None
    ) -> None:
        self._source = source
        self._kind = kind
        self._top = top
        self._include_user_data = include_user_data
        self._retry = retry or Retry()

    def read(self, after: str) -> Page:
        """Return the page behind the ID ``after``, and where nothing of it is readable the next one with it.

        Without readable groups it is the end of the list.

        Raises:
            FaceError: where the service does not respond with one; see ``Retry.call``.
            ListingStuck: where page after page is unreadable.
        """
        page = following = self._read(after)
        while following.end and not page.ids:
            if len(page.unreadable) > MAX_UNREADABLE:
                raise ListingStuck(f"more than {MAX_UNREADABLE} groups of the service's list are not valid text")
            following = self._read(page.end)
            page = _joined(page, following)
        return page

    def _read(self, after: str) -> Page:
        groups, calls, throttled = self._retry.call(lambda: self._source.groups(self._kind, after, self._top))
        readable = [group for group in groups if group.unreadable is None]
        return Page(
            ids=[group.group_id for group in readable],
            lines=[self._shown(group.body) for group in readable],
            calls=calls,
            throttled=throttled,
            unreadable=[Unreadable(group.group_id, group.unreadable) for group in groups if group.unreadable],
            end=groups[-1].group_id if groups else "",
        )

    def stop(self) -> None:
        """End the waits of all threads."""
        self._retry.stop()

    def _shown(self, line: bytes) -> bytes:
        return line if self._include_user_data else without_user_data(line)
