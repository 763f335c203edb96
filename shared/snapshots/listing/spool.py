"""The listing one page after the other, in whatever order the service has the groups, sorted on disk."""

import heapq
from collections.abc import Callable, Iterator
from itertools import batched
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from shared.snapshots.errors import ListingStuck, OutOfDisk
from shared.snapshots.listing.by_ranges import MAX_LISTED, Reader, Stage
from shared.snapshots.listing.pages import Page
from shared.snapshots.stored.gzip_members import pack, unpack
from shared.snapshots.stored.lines import ReadId
from shared.snapshots.stored.progress import Progress, StagedPart

if TYPE_CHECKING:
    from shared.snapshots.stored.manifest import Unreadable

_PART_GROUPS, _PART_BYTES = 1000, 16 * 1024 * 1024
_RUN_BYTES = 64 * 1024 * 1024
_READ_BYTES = 64 * 1024


def list_unordered(
    reader: Reader, stage: Stage, progress: Progress, check: Callable[[], None], read_id: ReadId
) -> Progress:
    """Walk the list with the service's own cursor, its last ID, until a page is empty; stage the groups sorted.

    The ``progress`` begins anew but for its counts. ``check`` is called after each page;
    ``read_id`` returns a line's ID.

    Raises:
        ListingStuck: where a page brings nothing new, or the list does not end.
        OutOfDisk: where the groups do not fit on the local disk.
        Exception: what reading, staging or the check raises.
    """
    with TemporaryDirectory(prefix="snapshot-") as directory:
        spool = _Spool(Path(directory), read_id)
        calls, throttled, after = progress.calls, progress.throttled, ""
        unreadable: dict[str, Unreadable] = {}
        while True:
            page = reader.read(after)
            calls, throttled = calls + page.calls, throttled + page.throttled
            check()
            if not page.ids and not page.unreadable:
                break
            new = spool.add(page) + len({each.group_id for each in page.unreadable} - unreadable.keys())
            unreadable.update((each.group_id, each) for each in page.unreadable)
            if not new or spool.count > MAX_LISTED:
                raise ListingStuck(
                    "the service responded with a page that brings nothing new, or its list does not end. "
                    "Nothing is published; see whether the service still orders the groups by a cursor"
                )
            after = page.end or page.ids[-1]
        return msgspec.structs.replace(
            progress,
            parts=tuple(_stage_sorted(spool, stage)),
            calls=calls,
            throttled=throttled,
            unreadable=tuple(unreadable.values()),
            complete=True,
        )


class _Spool:
    """The groups as sorted runs of gzip members on disk, each run as many groups as memory holds."""

    def __init__(self, directory: Path, read_id: ReadId) -> None:
        self._directory = directory
        self._read_id = read_id
        self._seen: set[int] = set()  # hashes of the IDs
        self._buffer: dict[str, bytes] = {}
        self._size = 0  # bytes of the buffer's lines
        self._runs: list[Path] = []

    @property
    def count(self) -> int:
        """Return how many groups have been added."""
        return len(self._seen)

    def add(self, page: Page) -> int:
        """Add groups, or renew them, and return how many are new."""
        before = len(self._seen)
        self._seen.update(map(hash, page.ids))
        self._buffer.update(zip(page.ids, page.lines, strict=True))
        self._size += sum(map(len, page.lines))
        if self._size > _RUN_BYTES:
            self._end_run()
        return len(self._seen) - before

    def in_order(self) -> Iterator[tuple[str, bytes]]:
        """Yield the groups, each with its ID, in ordinal order."""
        self._end_run()
        last = ""
        # Of a group that came more than once, the newest comes first, and the others are left out.
        newest_first = [self._read(run) for run in reversed(self._runs)]
        for group_id, line in heapq.merge(*newest_first, key=itemgetter(0)):
            if group_id != last:
                yield group_id, line
            last = group_id

    def _end_run(self) -> None:
        run = self._directory / f"{len(self._runs)}.gz"
        try:
            with run.open("wb") as file:
                for groups in batched(sorted(self._buffer.items()), _PART_GROUPS, strict=False):
                    file.write(pack(line for _, line in groups))
        except OSError as error:
            raise OutOfDisk(
                f"the local disk has no room for the list to be sorted on it ({error.strerror}); "
                "expected about as much as the snapshot takes. Give the app a larger instance"
            ) from error
        self._runs.append(run)
        self._buffer, self._size = {}, 0

    def _read(self, run: Path) -> Iterator[tuple[str, bytes]]:
        with run.open("rb") as file:
            for member in unpack(iter(lambda: file.read(_READ_BYTES), b"")):
                for line in member.lines:
                    yield self._read_id(line), line


def _stage_sorted(spool: _Spool, stage: Stage) -> Iterator[StagedPart]:
    after, size = "", 0
    ids: list[str] = []
    lines: list[bytes] = []
    for group_id, line in spool.in_order():
        if ids and (len(ids) == _PART_GROUPS or size + len(line) > _PART_BYTES):
            yield stage(after, ids, lines)
            after, size, ids, lines = ids[-1], 0, [], []
        ids.append(group_id)
        lines.append(line)
        size += len(line)
    if ids:
        yield stage(after, ids, lines)
