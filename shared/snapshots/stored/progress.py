"""What a run has done so far, kept so that the next one can go on where it died."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

import msgspec

from shared.face.timestamps import format_utc
from shared.snapshots.stored.layout import check_past, new_snapshot_id, snapshot_time
from shared.snapshots.stored.manifest import Part, Unreadable

RESUMABLE = timedelta(hours=3)
"""How old a run may be and still be resumed; uncommitted blocks live for a week (Put Block, REST reference)."""
HEAD_IDS = 4
"""How many of a part's first IDs are kept: some of them may be deleted before the run is resumed."""
MAX_UNREADABLE = 1_000
"""How many unreadable groups are named; a list with more is another format."""


class Origin(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is listed; a run goes on only with parts of the same origin."""

    source: str  # the Face resource's endpoint
    api_version: str
    includes_user_data: bool
    groups_snapshot: str | None = None  # of members: the snapshot whose groups are listed


class StagedPart(msgspec.Struct, frozen=True, rename="camel"):
    """A staged block: one gzip member with all groups after the ID ``after`` up to ``last_id``."""

    block_id: str
    length: int  # bytes
    count: int  # lines
    after: str
    first_id: str
    last_id: str
    head: tuple[str, ...] = ()  # its first IDs

    @classmethod
    def of(cls, block_id: str, length: int, after: str, ids: Sequence[str]) -> "StagedPart":
        """Return the part that holds these IDs."""
        return cls(block_id, length, len(ids), after, ids[0], ids[-1], tuple(ids[:HEAD_IDS]))


class Progress(msgspec.Struct, frozen=True, rename="camel"):
    """A run under way."""

    snapshot_id: str
    run_id: str  # marks the blobs that this run commits as its own
    started_at: str
    origin: Origin
    parts: tuple[StagedPart, ...] = ()  # ordered by ID
    complete: bool = False  # the parts are the whole list, ready to be committed
    calls: int = 0  # to the service
    throttled: int = 0  # calls that it responded to with 429
    unreadable: tuple[Unreadable, ...] = ()
    reading: int = 1  # 2 where the list is read once more because the first reading is hard to believe
    attempts: int = 0  # runs that have begun with this progress

    @property
    def groups(self) -> int:
        """Return how many groups are stored so far."""
        return sum(part.count for part in self.parts)

    def can_be_resumed(self, origin: Origin, now: datetime) -> bool:
        """Tell whether a run of this origin may go on with these parts."""
        age = now - datetime.fromisoformat(self.started_at)
        return self.origin == origin and timedelta(0) <= age <= RESUMABLE

    def check(self) -> None:
        """Hold progress that was read to what the app writes.

        Raises:
            ValueError: where its ID or its time cannot be one.
        """
        check_past(self.snapshot_id)
        if datetime.fromisoformat(self.started_at).tzinfo is None:
            raise ValueError("expected a time with its offset")


def without_parts(progress: Progress) -> Progress:
    """Return the progress of a run whose parts are not gone on with; what it has committed is cleared away."""
    return msgspec.structs.replace(progress, parts=(), complete=False)


def in_order(parts: Iterable[StagedPart]) -> tuple[StagedPart, ...]:
    """Return the parts ordered by ID."""
    return tuple(sorted(parts, key=lambda part: part.first_id))


def new_progress(origin: Origin, now: datetime, run_id: str, *, newer_than: Iterable[str]) -> Progress:
    """Return the progress of a run that begins; its snapshot's ID is greater than all that are given."""
    started_at = format_utc(now)
    for snapshot_id in newer_than:
        now = max(now, snapshot_time(snapshot_id) + timedelta(seconds=1))
    return Progress(snapshot_id=new_snapshot_id(now), run_id=run_id, started_at=started_at, origin=origin)


def placed_parts(parts: tuple[StagedPart, ...]) -> tuple[Part, ...]:
    """Return where each part lies once they are committed in this order."""
    offsets = accumulate((part.length for part in parts), initial=0)
    # A part may have been asked for behind a key that is nobody's ID; in the whole list it follows the part before it.
    afters = ["", *(part.last_id for part in parts)]
    return tuple(
        Part(offset, part.length, part.count, after, part.first_id, part.last_id)
        for offset, after, part in zip(offsets, afters, parts, strict=False)
    )
