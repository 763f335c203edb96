"""The listing of all groups with many calls under way at once, staged as it comes."""

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from shared.snapshots.errors import ListingStuck
from shared.snapshots.listing.coverage import Call, Coverage
from shared.snapshots.listing.pages import Page
from shared.snapshots.stored.manifest import MAX_PARTS, Unreadable
from shared.snapshots.stored.progress import MAX_UNREADABLE, Progress, StagedPart, in_order

WORKERS = 24
"""Calls and uploads under way at once: enough for 10 calls a second that take 2 seconds each."""
MAX_LISTED = 10_000_000
"""The most groups that are believed: ten times the service's limit."""
_PAGES_BYTES = 256 * 1024 * 1024
"""Memory for the lines of pages under way; a page may hold 1,000 times 16,384 characters of user data."""
FIRST_CALLS = 20
"""Calls under way before it is known how large a page is."""
_PART_GROUPS, _PART_BYTES = 500, 1024 * 1024
"""What a part has at least of one or the other, where the range goes on: short pages share one."""
_SAVE_SECONDS = 5.0
_WAIT_SECONDS = 5.0
_GUESS_SECONDS = 0.1
_RECENT_CALLS = 15
"""The median of so many tells how long a call takes."""


class Reader(Protocol):
    """What reads pages; called by many threads."""

    def read(self, after: str) -> Page:
        """Return the page behind an ID."""

    def stop(self) -> None:
        """End all waits."""


type Stage = Callable[[str, Sequence[str], Sequence[bytes]], StagedPart]
"""Stores groups, their IDs and lines, which follow an ID without a gap; called by many threads."""


@dataclass
class _Piece:
    """Groups that follow an ID without a gap, and are not staged yet."""

    after: str
    ids: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0  # bytes of the lines

    def add(self, ids: Sequence[str], lines: Sequence[bytes]) -> None:
        self.ids += ids
        self.lines += lines
        self.size += sum(map(len, lines))

    @property
    def is_full(self) -> bool:
        return len(self.ids) >= _PART_GROUPS or self.size >= _PART_BYTES


class RangeListing:
    """A listing by ranges of keys; an object lists once.

    ``keep_slot`` keeps a slot of the request budget for the next call, and returns 0, or the seconds until it can: a
    call is chosen once its slot has nearly come, by what is known by then. ``checkpoint`` is called every few seconds
    with the progress so far, by the thread that lists; what it raises ends the listing. ``page_bytes`` is about how
    many bytes of lines a page has, ``None`` where nobody knows.
    """

    def __init__(
        self,
        reader: Reader,
        stage: Stage,
        *,
        keep_slot: Callable[[], float],
        checkpoint: Callable[[Progress], None],
        workers: int = WORKERS,
        page_bytes: int | None = None,
    ) -> None:
        self._reader = reader
        self._stage = stage
        self._keep_slot = keep_slot
        self._seconds_to_slot = math.inf  # 0: one is kept for the next call
        self._checkpoint = checkpoint
        self._workers = workers
        self._max_page = page_bytes or _PAGES_BYTES // min(workers, FIRST_CALLS)
        self._page_seen = page_bytes is not None
        self._reading: dict[Future[Page], Call] = {}
        self._begun: dict[Future[Page], float] = {}  # on the monotonic clock
        self._durations: deque[float] = deque(maxlen=_RECENT_CALLS)  # of the last calls, in seconds
        self._staging: set[Future[StagedPart]] = set()
        self._pieces: dict[str, _Piece] = {}  # by their last ID
        self._parts: list[StagedPart] = []
        self._unreadable: dict[str, Unreadable] = {}
        self._listed = 0
        self.calls = self.throttled = 0

    def run(self, coverage: Coverage, progress: Progress) -> Progress:
        """Return the progress completed.

        Raises:
            OutOfOrder: where the service's pages cannot be listed so; see ``Coverage.page_arrived``.
            ListingStuck: where the list is longer than any that the service can hold.
            Exception: what reading, staging or the checkpoint raised first, once all calls under way have ended.
        """
        self._parts = list(progress.parts)
        self._unreadable = {each.group_id: each for each in progress.unreadable}
        self._listed = progress.groups
        self.calls, self.throttled = progress.calls, progress.throttled
        saved = time.monotonic()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="snapshot")
        try:
            while not coverage.finished or self._reading or self._staging or self._pieces:
                self._start_calls(pool, coverage)
                if coverage.finished and not self._reading:
                    self._stage_rest(pool)
                self._take_what_ended(pool, coverage)
                if time.monotonic() - saved > _SAVE_SECONDS:
                    self._checkpoint(self._progress(progress, complete=False))
                    saved = time.monotonic()
        finally:
            self._reader.stop()
            pool.shutdown(cancel_futures=True)
        return self._progress(progress, complete=True)

    @property
    def _max_under_way(self) -> int:
        return min(self._workers, max(1, _PAGES_BYTES // max(1, self._max_page)))

    @property
    def _latency(self) -> float:
        """Return how long a call takes, in seconds; before one has ended, how long the first is under way."""
        if self._durations:
            return statistics.median(self._durations)
        now = time.monotonic()
        return now - min(self._begun.values(), default=now)

    def _start_calls(self, pool: ThreadPoolExecutor, coverage: Coverage) -> None:
        while len(self._reading) + len(self._staging) < self._max_under_way and self._has_slot():
            call = coverage.next_call(self._latency)
            if call is None:
                return
            self._seconds_to_slot = math.inf
            begun = time.monotonic()
            future = pool.submit(self._reader.read, call.after)
            self._reading[future], self._begun[future] = call, begun

    def _has_slot(self) -> bool:
        if self._seconds_to_slot > 0:
            self._seconds_to_slot = self._keep_slot()
        return self._seconds_to_slot == 0

    def _take_what_ended(self, pool: ThreadPoolExecutor, coverage: Coverage) -> None:
        under_way: set[Future[Any]] = {*self._reading, *self._staging}
        # Until the first page is there, another guess may be worth its call after a while.
        idle = _WAIT_SECONDS if self._page_seen else _GUESS_SECONDS
        patience = min(idle, self._seconds_to_slot or idle)
        if not under_way:
            time.sleep(patience)
        for future in wait(under_way, patience, FIRST_COMPLETED).done:
            if call := self._reading.pop(future, None):
                self._durations.append(time.monotonic() - self._begun.pop(future))
                self._take_page(pool, coverage, call, future.result())
            else:
                self._staging.remove(future)
                self._parts.append(future.result())

    def _take_page(self, pool: ThreadPoolExecutor, coverage: Coverage, call: Call, page: Page) -> None:
        self.calls += page.calls
        self.throttled += page.throttled
        size = sum(map(len, page.lines))
        self._max_page = max(self._max_page, size) if self._page_seen else size
        self._page_seen = True
        self._note_unreadable(page.unreadable)
        kept = coverage.page_arrived(call, page.ids)
        if kept.begin == kept.end:
            return
        new = slice(kept.begin, kept.end)
        self._listed += kept.end - kept.begin
        if self._listed > MAX_LISTED:
            raise ListingStuck(f"the service lists more than {MAX_LISTED} groups; expected a list that ends")
        piece = self._pieces.pop(kept.after, None) or _Piece(kept.after)
        piece.add(page.ids[new], page.lines[new])
        if piece.is_full:
            self._submit(pool, piece)
        else:
            self._pieces[piece.ids[-1]] = piece

    def _note_unreadable(self, unreadable: Sequence[Unreadable]) -> None:
        self._unreadable.update((each.group_id, each) for each in unreadable)
        if len(self._unreadable) > MAX_UNREADABLE:
            raise ListingStuck(f"more than {MAX_UNREADABLE} groups of the service's list are not valid text")

    def _stage_rest(self, pool: ThreadPoolExecutor) -> None:
        # What follows in the next piece joins it, so that the short pieces of neighbouring ranges share a part.
        waiting, self._pieces = sorted(self._pieces.values(), key=lambda piece: piece.after), {}
        joined: list[_Piece] = []
        for piece in waiting:
            if joined and joined[-1].ids[-1] == piece.after and not joined[-1].is_full:
                joined[-1].add(piece.ids, piece.lines)
            else:
                joined.append(piece)
        if len(self._parts) + len(self._staging) + len(joined) > MAX_PARTS:
            raise ListingStuck(f"the list has more than {MAX_PARTS} parts; expected groups of at most 17 KiB")
        for piece in joined:
            self._submit(pool, piece)

    def _submit(self, pool: ThreadPoolExecutor, piece: _Piece) -> None:
        self._staging.add(pool.submit(self._stage, piece.after, piece.ids, piece.lines))

    def _progress(self, begun: Progress, *, complete: bool) -> Progress:
        return msgspec.structs.replace(
            begun,
            parts=in_order(self._parts),
            calls=self.calls,
            throttled=self.throttled,
            unreadable=tuple(self._unreadable.values()),
            complete=complete,
        )
