"""Finish a snapshot whose groups are stored: verify them, find the changes, write both down, and publish."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError

from shared.face.timestamps import format_utc
from shared.snapshots.changes import changes_between, write_changes
from shared.snapshots.errors import CorruptSnapshot, PreviousUnreadable
from shared.snapshots.stored.archive import SnapshotArchive
from shared.snapshots.stored.groups import StoredGroups
from shared.snapshots.stored.manifest import (
    CHANGES_NAME,
    FORMAT_VERSION,
    GROUPS_NAME,
    ChangesBlob,
    GroupsBlob,
    Manifest,
)
from shared.snapshots.stored.progress import Progress, placed_parts

logger = logging.getLogger(__name__)


def describe(
    archive: SnapshotArchive, progress: Progress, previous: Manifest | None, clock: Callable[[], datetime]
) -> Manifest:
    """Read the stored groups once beside the previous snapshot's, write the changes, and return the manifest.

    A previous snapshot that is gone or damaged is passed over, as if this snapshot were the first.

    Raises:
        CorruptSnapshot: where the stored groups are not what was listed.
    """
    try:
        groups, changes = _verify(archive, progress, previous)
    except PreviousUnreadable as error:
        logger.warning("previous snapshot cannot be compared with", extra={"reason": str(error)})
        previous = None
        groups, changes = _verify(archive, progress, None)
    return Manifest(
        format_version=FORMAT_VERSION,
        snapshot_id=progress.snapshot_id,
        started_at=progress.started_at,
        finished_at=format_utc(clock()),
        source=progress.origin.source,
        api_version=progress.origin.api_version,
        includes_user_data=progress.origin.includes_user_data,
        previous=previous.snapshot_id if previous else None,
        calls=progress.calls,
        throttled=progress.throttled,
        groups=groups,
        changes=changes,
    )


def _verify(
    archive: SnapshotArchive, progress: Progress, previous: Manifest | None
) -> tuple[GroupsBlob, ChangesBlob | None]:
    parts = placed_parts(progress.parts)
    stored = StoredGroups(archive.read_groups(progress.path), parts)
    if previous is None:
        changes = None
        deque(stored, maxlen=0)
    else:
        writer = archive.changes_writer(progress.path)
        found = changes_between(
            _previous_groups(archive, previous),
            stored,
            with_user_data=progress.origin.includes_user_data and previous.includes_user_data,
        )
        counts = write_changes(found, writer.write)
        size, sha256 = writer.commit()
        changes = ChangesBlob(CHANGES_NAME, counts["added"], counts["removed"], counts["changed"], size, sha256)
    count = sum(part.count for part in parts)
    return GroupsBlob(GROUPS_NAME, count, stored.size, stored.sha256, parts), changes


def _previous_groups(archive: SnapshotArchive, previous: Manifest) -> Iterator[tuple[str, bytes]]:
    stored = StoredGroups(archive.read_groups(previous.path), previous.groups.parts)
    try:
        yield from stored
    except (CorruptSnapshot, ResourceNotFoundError) as error:
        raise PreviousUnreadable(f"snapshot {previous.snapshot_id} cannot be read: {error}") from error
    if stored.sha256 != previous.groups.sha256:
        raise PreviousUnreadable(f"snapshot {previous.snapshot_id} has not the SHA-256 of its manifest")
