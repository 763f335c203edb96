"""Keep what a run has done so far, so that the next one can go on where it died."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate

import msgspec

from shared.face.timestamps import format_utc
from shared.snapshots.stored.manifest import Part, new_snapshot_id, snapshot_path, snapshot_time

RESUMABLE = timedelta(days=1)
"""How old a run may be and still be resumed; uncommitted blocks live for a week (Put Block, REST reference)."""


class Origin(msgspec.Struct, frozen=True, rename="camel"):
    """Say what is listed; a run goes on only with parts of the same origin."""

    source: str
    api_version: str
    includes_user_data: bool


class StagedPart(msgspec.Struct, frozen=True, rename="camel"):
    """Name a staged block: one gzip member with all groups behind the ID ``after`` up to ``last_id``."""

    block_id: str
    length: int
    count: int
    after: str
    first_id: str
    last_id: str


class Progress(msgspec.Struct, frozen=True, rename="camel"):
    """Hold a run under way.

    ``parts`` are ordered by ID; ``complete`` says that they are the whole list, ready to be committed.
    """

    snapshot_id: str
    started_at: str
    origin: Origin
    parts: tuple[StagedPart, ...] = ()
    complete: bool = False
    calls: int = 0
    throttled: int = 0

    @property
    def path(self) -> str:
        """Return the snapshot's directory in the container."""
        return snapshot_path(self.snapshot_id)

    def advanced(self, parts: Iterable[StagedPart], calls: int, throttled: int, *, complete: bool) -> "Progress":
        """Return the progress with these parts and counts, the parts put in order."""
        ordered = tuple(sorted(parts, key=lambda part: part.first_id))
        return msgspec.structs.replace(self, parts=ordered, calls=calls, throttled=throttled, complete=complete)

    def can_be_resumed(self, origin: Origin, now: datetime) -> bool:
        """Tell whether a run of this origin may go on with these parts."""
        age = now - datetime.fromisoformat(self.started_at)
        return self.origin == origin and timedelta(0) <= age <= RESUMABLE


def new_progress(origin: Origin, now: datetime, newer_than: str | None) -> Progress:
    """Return the progress of a run that begins; its snapshot's ID is greater than that of the newest one."""
    started_at = format_utc(now)
    if newer_than is not None:
        now = max(now, snapshot_time(newer_than) + timedelta(seconds=1))
    return Progress(snapshot_id=new_snapshot_id(now), started_at=started_at, origin=origin)


def placed_parts(parts: tuple[StagedPart, ...]) -> tuple[Part, ...]:
    """Return where each part lies once they are committed in this order."""
    offsets = accumulate((part.length for part in parts), initial=0)
    return tuple(
        Part(offset, part.length, part.count, part.first_id, part.last_id)
        for offset, part in zip(offsets, parts, strict=False)
    )
