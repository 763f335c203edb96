"""List all groups with many calls under way at once, and stage what they bring."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from shared.snapshots.listing.coverage import Call, Coverage
from shared.snapshots.listing.pages import Page
from shared.snapshots.stored.progress import Progress, StagedPart

WORKERS = 24
"""Calls and uploads under way at once: enough for 10 calls a second that take 2 seconds each."""
_PAGES_BYTES = 256 * 1024 * 1024
"""Memory for the lines of pages under way; a page may hold 1,000 times 16,384 characters of user data."""
_FIRST_CALLS = 8
"""Calls under way before it is known how large a page is."""
_SAVE_SECONDS = 5.0
_LOOK_SECONDS = 5.0


class Reader(Protocol):
    """Read pages; called by many threads."""

    def read(self, after: str) -> Page:
        """Return the page behind an ID."""

    def stop(self) -> None:
        """End all waits."""


type Stage = Callable[[str, Sequence[str], Sequence[bytes]], StagedPart]
"""Store groups, their IDs and lines, which follow an ID without a gap; called by many threads."""


class RangeListing:
    """List by ranges of keys; an object lists once.

    ``seconds_until_free`` tells how long a call made now would wait for the request budget: a range is split only
    when the budget would else lie idle. ``checkpoint`` is called every few seconds with the progress so far, by the
    thread that lists; what it raises ends the listing. ``calls`` and ``throttled`` count as in the manifest.
    """

    def __init__(
        self,
        reader: Reader,
        stage: Stage,
        *,
        seconds_until_free: Callable[[], float],
        checkpoint: Callable[[Progress], None],
        workers: int = WORKERS,
    ) -> None:
        self._reader = reader
        self._stage = stage
        self._seconds_until_free = seconds_until_free
        self._checkpoint = checkpoint
        self._workers = workers
        self._most_under_way = min(workers, _FIRST_CALLS)
        self._max_page = 1
        self._reading: dict[Future[Page], Call] = {}
        self._staging: set[Future[StagedPart]] = set()
        self._parts: list[StagedPart] = []
        self.calls = self.throttled = 0

    def run(self, ranges: Coverage, progress: Progress) -> Progress:
        """Return the progress completed.

        Raises:
            OutOfOrder: where the service's pages cannot be listed so; see ``Coverage.page_arrived``.
            Exception: what reading, staging or the checkpoint raised first, once all calls under way have ended.
        """
        self._parts = list(progress.parts)
        self.calls, self.throttled = progress.calls, progress.throttled
        saved = time.monotonic()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="snapshot")
        try:
            while not ranges.finished or self._reading or self._staging:
                self._start_calls(pool, ranges)
                self._take_what_ended(pool, ranges)
                if time.monotonic() - saved > _SAVE_SECONDS:
                    self._checkpoint(self._progress(progress, complete=False))
                    saved = time.monotonic()
        finally:
            self._reader.stop()
            pool.shutdown(cancel_futures=True)
        return self._progress(progress, complete=True)

    def _start_calls(self, pool: ThreadPoolExecutor, ranges: Coverage) -> None:
        while len(self._reading) + len(self._staging) < self._most_under_way:
            call = ranges.next_call(may_split=self._seconds_until_free() == 0)
            if call is None:
                return
            self._reading[pool.submit(self._reader.read, call.after)] = call

    def _take_what_ended(self, pool: ThreadPoolExecutor, ranges: Coverage) -> None:
        patience = min(_LOOK_SECONDS, self._seconds_until_free() or _LOOK_SECONDS)
        under_way: set[Future[Any]] = {*self._reading, *self._staging}
        for future in wait(under_way, patience, FIRST_COMPLETED).done:
            if call := self._reading.pop(future, None):
                self._take_page(pool, ranges, call, future.result())
            else:
                self._staging.remove(future)
                self._parts.append(future.result())

    def _take_page(self, pool: ThreadPoolExecutor, ranges: Coverage, call: Call, page: Page) -> None:
        self.calls += page.calls
        self.throttled += page.throttled
        self._max_page = max(self._max_page, sum(map(len, page.lines)))
        self._most_under_way = min(self._workers, max(1, _PAGES_BYTES // self._max_page))
        kept = ranges.page_arrived(call, page.ids, page.size)
        if kept.begin < kept.end:
            new = slice(kept.begin, kept.end)
            self._staging.add(pool.submit(self._stage, kept.after, page.ids[new], page.lines[new]))

    def _progress(self, begun: Progress, *, complete: bool) -> Progress:
        return begun.advanced(self._parts, self.calls, self.throttled, complete=complete)
