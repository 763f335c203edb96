"""List all groups one page after the other, in whatever order the service has them, and sort them on disk."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.snapshots.errors import ListingStuck
from shared.snapshots.listing.by_ranges import Reader, Stage
from shared.snapshots.listing.pages import Page
from shared.snapshots.stored.progress import Progress, StagedPart

_PART_GROUPS = 1000


def list_unordered(reader: Reader, stage: Stage, progress: Progress, check: Callable[[], None]) -> Progress:
    """Walk the list with the service's own cursor, its last ID, until a page is empty; stage the groups sorted.

    The ``progress`` begins anew but for its counts. ``check`` is called after each page.

    Raises:
        ListingStuck: where a page brings nothing new.
        Exception: what reading, staging or the check raises.
    """
    with TemporaryDirectory(prefix="snapshot-") as directory, closing(_open(Path(directory))) as spool:
        calls, throttled, after = progress.calls, progress.throttled, ""
        while True:
            page = reader.read(after)
            calls, throttled = calls + page.calls, throttled + page.throttled
            check()
            if not page.ids:
                break
            if not _add(spool, page):
                raise ListingStuck(
                    "the service answered a page that brings nothing new; listing on would never end. "
                    "Nothing is published; see whether the service still orders the groups by a cursor"
                )
            after = page.ids[-1]
        parts = list(_stage_sorted(spool, stage))
        return progress.advanced(parts, calls, throttled, complete=True)


def _open(directory: Path) -> sqlite3.Connection:
    spool = sqlite3.connect(directory / "groups.sqlite", isolation_level=None)
    # The file is gone with the run: what a crash would spoil is not missed.
    spool.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;")
    spool.execute("CREATE TABLE groups (id TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID")
    return spool


def _add(spool: sqlite3.Connection, page: Page) -> int:
    """Add groups, or renew them, and return how many are new."""
    spool.execute("BEGIN")
    new = spool.executemany(
        "INSERT OR IGNORE INTO groups VALUES (?, ?)", zip(page.ids, page.lines, strict=True)
    ).rowcount
    if new < len(page.ids):
        spool.executemany("UPDATE groups SET line = ? WHERE id = ?", zip(page.lines, page.ids, strict=True))
    spool.execute("COMMIT")
    return new


def _stage_sorted(spool: sqlite3.Connection, stage: Stage) -> Iterator[StagedPart]:
    after = ""
    # SQLite compares text by its bytes, which for UTF-8 is the ordinal order of the code points.
    for batch in batched(spool.execute("SELECT id, line FROM groups ORDER BY id"), _PART_GROUPS, strict=False):
        ids, lines = [group_id for group_id, _ in batch], [line for _, line in batch]
        yield stage(after, ids, lines)
        after = ids[-1]
