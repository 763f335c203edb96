"""Stored groups read once beside the previous snapshot's: verified, compared, and described in a manifest."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from azure.core.exceptions import HttpResponseError

from shared.face.timestamps import format_utc
from shared.snapshots.changes import changes_between
from shared.snapshots.errors import CorruptSnapshot, PreviousUnreadable
from shared.snapshots.listing.lines import group_id_reader
from shared.snapshots.stored.archive import Archive, error_code
from shared.snapshots.stored.lines import StoredLines
from shared.snapshots.stored.manifest import AnyManifest, ChangesBlob, DataBlob, Manifest
from shared.snapshots.stored.progress import Progress, placed_parts

_PLAUSIBLE_COUNT = 1_000
"""The least number of groups of which it is hard to believe that more than half were removed at once."""
log = logging.getLogger(__name__)


def describe(
    archive: Archive, progress: Progress, previous: Manifest | None, clock: Callable[[], datetime]
) -> Manifest:
    """Read the stored groups once beside the previous snapshot's, write the changes, and return the manifest.

    A previous snapshot that cannot be read is passed over, as if this snapshot were the first.

    Raises:
        CorruptSnapshot: where the stored groups are not what was listed.
    """
    try:
        groups, changes = _verify(archive, progress, previous)
    except PreviousUnreadable as error:
        log.warning("previous snapshot cannot be compared with", extra={"reason": str(error)})
        previous = None
        groups, changes = _verify(archive, progress, None)
    return Manifest(
        kind=archive.layout.kind,
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
        unreadable=progress.unreadable or msgspec.UNSET,
    )


def is_plausible(manifest: Manifest, previous: Manifest | None) -> bool:
    """Tell whether a list can be believed at its first reading: not where more than half of many groups are gone."""
    if previous is None or manifest.changes is None or previous.groups.count < _PLAUSIBLE_COUNT:
        return True
    return manifest.changes.removed <= previous.groups.count / 2


def read_lines(archive: Archive, manifest: AnyManifest) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a copy, each with its group's ID.

    Raises:
        CorruptSnapshot: where the blob is gone, out of reach, or not what the manifest says.
    """
    read_id = group_id_reader(manifest.kind)
    stored = StoredLines(archive.read(manifest.snapshot_id), manifest.data.parts, read_id)
    try:
        yield from stored
    except HttpResponseError as error:
        if error.status_code not in (404, 409, 412):  # gone, archived, changed meanwhile
            raise
        raise CorruptSnapshot(f"the blob cannot be read ({error_code(error)})") from error
    if stored.sha256 != manifest.data.sha256:
        raise CorruptSnapshot("the SHA-256 is not the manifest's")


def _verify(archive: Archive, progress: Progress, previous: Manifest | None) -> tuple[DataBlob, ChangesBlob | None]:
    parts = placed_parts(progress.parts)
    stored = StoredLines(archive.read(progress.snapshot_id), parts, group_id_reader(archive.layout.kind))
    if previous is None:
        changes = None
        deque(stored, maxlen=0)
    else:
        changes = archive.changes_writer(progress.snapshot_id, progress.run_id).write(
            changes_between(
                _previous_lines(archive, previous),
                stored,
                with_user_data=progress.origin.includes_user_data and previous.includes_user_data,
            )
        )
    path = archive.layout.data_path(progress.snapshot_id)
    return DataBlob(path, progress.groups, stored.size, stored.sha256, parts), changes


def _previous_lines(archive: Archive, previous: Manifest) -> Iterator[tuple[str, bytes]]:
    try:
        yield from read_lines(archive, previous)
    except CorruptSnapshot as error:
        raise PreviousUnreadable(f"snapshot {previous.snapshot_id}: {error}") from error
