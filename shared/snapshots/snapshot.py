"""Make one snapshot of the dynamic person groups, whole or not at all."""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from azure.storage.blob import ContainerClient

from shared.face.client import MAX_PAGE, FaceClient
from shared.snapshots.errors import OutOfOrder
from shared.snapshots.listing.by_ranges import RangeListing
from shared.snapshots.listing.coverage import Coverage
from shared.snapshots.listing.pages import PATIENCE_SECONDS, PageReader
from shared.snapshots.listing.splitting import Splitter
from shared.snapshots.listing.spool import list_unordered
from shared.snapshots.publication import describe
from shared.snapshots.stored.archive import Published, SnapshotArchive
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.lease import RunLock, run_lock
from shared.snapshots.stored.manifest import Manifest
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, new_progress

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class SnapshotJob:
    """List every dynamic person group and publish the list to the container.

    ``patience`` is how long the service's troubles are waited out, in seconds.
    """

    def __init__(
        self,
        client: FaceClient,
        container: ContainerClient,
        *,
        include_user_data: bool,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._client = client
        self._container = container
        self._archive = SnapshotArchive(container)
        self._origin = Origin(client.endpoint, client.versions.directory, include_user_data)
        self._patience = patience
        self._clock = clock

    def run(self) -> Manifest | None:
        """Make and publish a snapshot, and return its manifest; ``None`` where another run is making one.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
            SnapshotError: where the listing or the stored blobs are not what they must be, or the lease is lost.
            AzureError: where the storage fails.
        """
        with run_lock(self._container) as lock:
            if lock is None:
                logger.info("snapshot already running")
                return None
            return self._run(lock)

    def _run(self, lock: RunLock) -> Manifest:
        began = time.monotonic()
        previous = self._archive.published()
        progress = self._resumed(lock.progress(), previous)
        if progress is None:
            progress = new_progress(self._origin, self._clock(), previous.manifest.snapshot_id if previous else None)
        self._archive.discard_unfinished(keep=progress.path)
        if not progress.complete:
            progress = self._list(lock, progress, previous)
            lock.save(progress)
        self._commit(progress)
        manifest = self._archive.manifest(progress.path) or self._archive.write_manifest(
            describe(self._archive, progress, previous.manifest if previous else None, self._clock)
        )
        lock.check()
        self._archive.publish(manifest, previous)
        lock.clear()
        _log_published(manifest, time.monotonic() - began)
        return manifest

    def _resumed(self, found: Progress | None, previous: Published | None) -> Progress | None:
        """Return what can be gone on with of a run that died, ``None`` where it is nothing."""
        if found is None or not found.can_be_resumed(self._origin, self._clock()):
            return None
        if previous and found.snapshot_id <= previous.manifest.snapshot_id:
            return None
        blocks = self._archive.blocks(found.path)
        if found.complete and blocks.committed:
            manifest = self._archive.manifest(found.path)
            superseded = manifest and manifest.previous != (previous.manifest.snapshot_id if previous else None)
            return None if superseded else found
        if blocks.committed:
            return None
        parts = [part for part in found.parts if blocks.staged.get(part.block_id) == part.length]
        resumed = found.advanced(
            parts, found.calls, found.throttled, complete=found.complete and len(parts) == len(found.parts)
        )
        logger.info("snapshot resumed", extra={"groups": sum(part.count for part in resumed.parts)})
        return resumed

    def _list(self, lock: RunLock, progress: Progress, previous: Published | None) -> Progress:
        budget = self._client.budget
        listing = RangeListing(
            self._reader(),
            self._stage_in(progress.path),
            seconds_until_free=budget.seconds_until_free if budget else lambda: 0.0,
            checkpoint=lock.save,
        )
        ranges = Coverage(
            MAX_PAGE,
            Splitter(MAX_PAGE, [part.last_id for part in previous.manifest.groups.parts[:-1]] if previous else []),
            listed=[(part.after, part.first_id, part.last_id) for part in progress.parts],
        )
        try:
            return listing.run(ranges, progress)
        except OutOfOrder as error:
            logger.warning("snapshot listed page by page, for lack of order", extra={"reason": str(error)})
            anew = progress.advanced([], listing.calls, listing.throttled, complete=False)
        lock.save(anew)
        return list_unordered(self._reader(), self._stage_in(progress.path), anew, lock.check)

    def _reader(self) -> PageReader:
        return PageReader(
            self._client,
            top=MAX_PAGE,
            include_user_data=self._origin.includes_user_data,
            patience=self._patience,
        )

    def _stage_in(self, path: str) -> Callable[[str, Sequence[str], Sequence[bytes]], StagedPart]:
        def stage(after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
            member, block_id = pack(lines), uuid.uuid4().hex
            self._archive.stage(path, block_id, member)
            return StagedPart(block_id, len(member), len(ids), after, ids[0], ids[-1])

        return stage

    def _commit(self, progress: Progress) -> None:
        block_ids = [part.block_id for part in progress.parts]
        if not block_ids:
            # A file of no bytes is no gzip file: an empty list is one member without lines.
            block_ids = ["0" * 32]
            self._archive.stage(progress.path, block_ids[0], pack([]))
        self._archive.commit_groups(progress.path, block_ids)


def _log_published(manifest: Manifest, seconds: float) -> None:
    changes = manifest.changes
    logger.info(
        "snapshot published",
        extra={
            "groups": manifest.groups.count,
            "added": changes.added if changes else 0,
            "removed": changes.removed if changes else 0,
            "changed": changes.changed if changes else 0,
            "bytes": manifest.groups.size,
            "calls": manifest.calls,
            "throttled": manifest.throttled,
            "seconds": round(seconds, 3),
        },
    )
