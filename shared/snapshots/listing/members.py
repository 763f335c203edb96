"""The listing of groups' persons: which groups are listed this time, and their lines in order."""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import msgspec

from shared.face.errors import GroupNotFound
from shared.face.groups import GroupsClient
from shared.face.timestamps import format_utc
from shared.snapshots.listing.pages import Retry

WORKERS = 16
MIN_NEW = 1_000
"""How many new and changed groups are listed at a time at least, however few there are in all."""
_PART_LINES, _PART_BYTES = 500, 1024 * 1024

type Pair = tuple[str, bytes | None]
"""A group's ID, and its line in the copy before; ``None`` where it has none."""


class Members(msgspec.Struct, frozen=True, rename="camel"):
    """The members of one group."""

    dynamic_person_group_id: str
    person_ids: list[str]
    listed_at: str  # UTC


read_members = msgspec.json.Decoder(Members).decode


class _Listed(msgspec.Struct, rename="camel"):
    listed_at: str


_listed = msgspec.json.Decoder(_Listed)


def choose(groups: Iterable[Pair], changed: set[str], days: float) -> set[str]:
    """Return the groups to list: new and changed ones first, then those that were not listed for longest.

    All groups are listed once within ``days`` runs, a run a day; new ones at once, as long as they are not too many.
    """
    first: list[str] = []
    oldest: list[tuple[str, str]] = []
    count = 0
    for group_id, line in groups:
        count += 1
        if line is None or group_id in changed:
            first.append(group_id)
        else:
            oldest.append((_listed.decode(line).listed_at, group_id))
    share = math.ceil(count / days)
    chosen = first[: max(share, MIN_NEW)]
    return {*chosen, *(group_id for _, group_id in heapq.nsmallest(max(0, share - len(chosen)), oldest))}


class MembersListing:
    """A listing of the chosen groups' persons, many at once; the lines of the others are passed on."""

    def __init__(
        self, client: GroupsClient[Any], retry: Retry, chosen: set[str], clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._retry = retry
        self._chosen = chosen
        self._clock = clock
        self.calls = self.throttled = 0

    def lines(self, groups: Iterable[Pair]) -> Iterator[tuple[str, bytes]]:
        """Yield a line for each group, ordered by ID; none for those that are gone or were never listed.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
        """
        with ExitStack() as ending:
            pool = ending.enter_context(ThreadPoolExecutor(WORKERS, thread_name_prefix="members"))
            ending.callback(self._retry.stop)
            waiting: deque[tuple[str, bytes | None, Future[tuple[bytes | None, int, int]] | None]] = deque()
            for group_id, line in groups:
                listing = pool.submit(self._list, group_id) if group_id in self._chosen else None
                waiting.append((group_id, line, listing))
                if len(waiting) > 2 * WORKERS:
                    yield from self._next(*waiting.popleft())
            while waiting:
                yield from self._next(*waiting.popleft())

    def _next(
        self, group_id: str, line: bytes | None, listing: Future[tuple[bytes | None, int, int]] | None
    ) -> Iterator[tuple[str, bytes]]:
        if listing is not None:
            line, calls, throttled = listing.result()
            self.calls += calls
            self.throttled += throttled
        if line is not None:
            yield group_id, line

    def _list(self, group_id: str) -> tuple[bytes | None, int, int]:
        listed_at = format_utc(self._clock())
        try:
            (person_ids, pages), tries, throttled = self._retry.call(lambda: self._client.persons(group_id))
        except GroupNotFound:
            return None, 1, 0  # deleted since the snapshot
        return msgspec.json.encode(Members(group_id, person_ids, listed_at)), pages + tries - 1, throttled


def batches(lines: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the lines in the batches that make a part each."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for pair in lines:
        batch.append(pair)
        size += len(pair[1])
        if len(batch) == _PART_LINES or size > _PART_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
