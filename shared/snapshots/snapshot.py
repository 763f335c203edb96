"""Make one snapshot of the dynamic person groups, whole or not at all."""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from azure.storage.blob import ContainerClient

from shared.face.client import LARGEST_PAGE, FaceClient
from shared.face.timestamps import format_utc
from shared.snapshots.archive import SnapshotArchive
from shared.snapshots.errors import ListingStuck
from shared.snapshots.manifest import FORMAT_VERSION, Manifest
from shared.snapshots.members import pack
from shared.snapshots.pages import PageReader
from shared.snapshots.progress import Origin, Progress, StagedPart, committed_parts, describe_groups, new_progress
from shared.snapshots.run_lock import RunLock, run_lock

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class SnapshotJob:
    """List every dynamic person group and publish the list to the container."""

    def __init__(
        self,
        client: FaceClient,
        container: ContainerClient,
        *,
        include_user_data: bool,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._client = client
        self._container = container
        self._archive = SnapshotArchive(container)
        self._origin = Origin(client.endpoint, client.versions.directory, include_user_data)
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
        progress = self._list(lock, new_progress(self._origin, self._clock()))
        lock.save(progress)
        parts = committed_parts(progress.parts)
        path = progress.path
        self._archive.commit_groups(path, [part.block_id for part in progress.parts])
        sha256, size = hashlib.sha256(), 0
        for chunk in self._archive.read_groups(path):
            sha256.update(chunk)
            size += len(chunk)
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            snapshot_id=progress.snapshot_id,
            started_at=progress.started_at,
            finished_at=format_utc(self._clock()),
            source=self._origin.source,
            api_version=self._origin.api_version,
            includes_user_data=self._origin.includes_user_data,
            previous=previous.manifest.snapshot_id if previous else None,
            calls=progress.calls,
            throttled=progress.throttled,
            groups=describe_groups(parts, size, sha256.hexdigest()),
            changes=None,
        )
        lock.check()
        self._archive.publish(self._archive.write_manifest(manifest), previous)
        lock.clear()
        logger.info(
            "snapshot published",
            extra={
                "groups": manifest.groups.count,
                "added": 0,
                "removed": 0,
                "changed": 0,
                "bytes": manifest.groups.size,
                "calls": manifest.calls,
                "throttled": manifest.throttled,
                "seconds": round(time.monotonic() - began, 3),
            },
        )
        return manifest

    def _list(self, lock: RunLock, progress: Progress) -> Progress:
        reader = PageReader(self._client, top=LARGEST_PAGE, include_user_data=self._origin.includes_user_data)
        parts: list[StagedPart] = []
        after, calls, throttled = "", 0, 0
        while True:
            lock.check()
            page = reader.read(after)
            calls += page.calls
            throttled += page.throttled
            if not page.ids:
                break
            if page.ids[0] <= after:
                raise ListingStuck("the service answered a page that does not begin behind its cursor")
            member, block_id = pack(page.lines), uuid.uuid4().hex
            self._archive.stage(progress.path, block_id, member)
            parts.append(StagedPart(block_id, len(member), len(page.ids), after, page.ids[0], page.ids[-1]))
            after = page.ids[-1]
        return msgspec.structs.replace(progress, parts=tuple(parts), complete=True, calls=calls, throttled=throttled)
