"""Keep what a run has done so far, so that the next one can go on where it died."""

from datetime import datetime, timedelta

import msgspec

from shared.face.timestamps import format_utc
from shared.snapshots.manifest import GROUPS_NAME, GroupsBlob, Part, new_snapshot_id, snapshot_path

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

    def can_be_resumed(self, origin: Origin, now: datetime) -> bool:
        """Tell whether a run of this origin may go on with these parts."""
        age = now - datetime.fromisoformat(self.started_at)
        return self.origin == origin and timedelta(0) <= age <= RESUMABLE


def new_progress(origin: Origin, now: datetime) -> Progress:
    """Return the progress of a run that begins."""
    return Progress(snapshot_id=new_snapshot_id(now), started_at=format_utc(now), origin=origin)


def committed_parts(parts: tuple[StagedPart, ...]) -> tuple[Part, ...]:
    """Return where each part lies once they are committed in this order."""
    placed, offset = [], 0
    for part in parts:
        placed.append(Part(offset, part.length, part.count, part.first_id, part.last_id))
        offset += part.length
    return tuple(placed)


def describe_groups(parts: tuple[Part, ...], size: int, sha256: str) -> GroupsBlob:
    """Return the manifest's entry for committed groups."""
    return GroupsBlob(GROUPS_NAME, sum(part.count for part in parts), size, sha256, parts)
