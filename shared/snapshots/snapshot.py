"""One snapshot of a kind of groups, made whole or not at all.

A run holds the lease of ``run.json``. It lists the groups into staged blocks, commits them, reads them back beside the
previous snapshot's, writes the changes and the manifest, and then moves the pointer on its ETag. Only after that is
anything cleared away: what earlier runs left, by the marks that ``run.json`` names, and the snapshot before gets the
tag that retention goes by. A run that dies at any point leaves its progress, and the next run goes on with it.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from azure.storage.blob import ContainerClient

from shared.face.client import MAX_PAGE
from shared.face.groups import GroupsClient
from shared.face.page import ListedKind
from shared.snapshots.comparison import describe, is_plausible, read_lines
from shared.snapshots.errors import CorruptSnapshot, ListingStuck, OutOfOrder
from shared.snapshots.listing import forecast
from shared.snapshots.listing.by_ranges import RangeListing
from shared.snapshots.listing.coverage import Coverage
from shared.snapshots.listing.lines import group_id_reader
from shared.snapshots.listing.pages import PATIENCE_SECONDS, PageReader, Retry
from shared.snapshots.listing.splitting import Splitter
from shared.snapshots.listing.spool import list_unordered
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.begin import EMPTY_BLOCK, Beginning, block_ids
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.lease import DEAD_RUN_SECONDS, hold_lease
from shared.snapshots.stored.manifest import Manifest
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, without_parts
from shared.snapshots.stored.run import Leftover, RunBlob, RunStatus, read_status, restore_run_blob

log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class SnapshotJob:
    """The job that lists all groups of a kind and publishes the list to the container.

    ``patience`` is how long the service's troubles are waited out, in seconds; ``lease_patience`` how long the lease of
    another run, which may be dead.
    """

    def __init__(
        self,
        client: GroupsClient[Any],
        container: ContainerClient,
        kind: ListedKind = ListedKind.DYNAMIC_PERSON_GROUP,
        *,
        include_user_data: bool,
        patience: float = PATIENCE_SECONDS,
        lease_patience: float = DEAD_RUN_SECONDS,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        layout = Layout(kind, "groups")
        self._client = client
        self._kind = kind
        self._archive = Archive(container, layout)
        self._catalog = Catalog(container, layout, Manifest)
        self._run_blob = container.get_blob_client(layout.run)
        self._origin = Origin(client.endpoint, client.api_version(kind), include_user_data)
        self._beginning = Beginning(self._archive, self._catalog, self._origin, clock)
        self._patience = patience
        self._lease_patience = lease_patience
        self._clock = clock

    def status(self) -> RunStatus:
        """Return how the run under way stands, or the one that failed."""
        return read_status(self._run_blob)

    def published_at(self) -> datetime | None:
        """Return when the newest snapshot was published, ``None`` where there is none."""
        return self._catalog.published_at()

    def run(self) -> Manifest | None:
        """Make and publish a snapshot, and return its manifest; ``None`` where another run is making one.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
            SnapshotError: where the listing or the stored blobs are not what they must be, or the lease is lost.
            AzureError: where the storage fails.
        """
        restore_run_blob(self._run_blob)
        with hold_lease(self._run_blob, patience=self._lease_patience) as lease:
            if lease is None:
                log.info("snapshot already running", extra={"kind": self._kind})
                return None
            run = RunBlob(lease)
            progress = run.load()
            run.check_tags()
            return self._run(run, progress)

    def _run(self, run: RunBlob, progress: Progress | None) -> Manifest:
        began = time.monotonic()
        newest = self._catalog.newest()
        previous = self._comparable(newest.manifest)
        progress = self._beginning.begin(run, progress, newest)
        manifest = self._make(run, progress, previous)
        if progress.reading == 1 and not is_plausible(manifest, previous):
            log.warning("snapshot read once more, for more than half of the groups seem removed")
            run.leave(Leftover(progress.snapshot_id, progress.run_id))
            progress = self._beginning.anew(newest.manifest, progress.snapshot_id, reading=2)
            run.save(progress)
            manifest = self._make(run, progress, previous)
        run.check()
        self._catalog.publish(manifest, newest.etag)
        if manifest.previous is not None:
            run.leave(Leftover(manifest.previous))
        self._beginning.clear_away(run, keep=manifest.snapshot_id)
        _log_published(manifest, time.monotonic() - began)
        return manifest

    def _comparable(self, newest: Manifest | None) -> Manifest | None:
        if newest is not None and newest.source != self._origin.source:
            log.warning("previous snapshot is of another Face resource: this one begins anew")
            return None
        return newest

    def _make(self, run: RunBlob, progress: Progress, previous: Manifest | None) -> Manifest:
        try:
            return self._store(run, progress, previous)
        except (CorruptSnapshot, ListingStuck):
            # It may be what is on record of the run's parts that is wrong.
            run.save(without_parts(progress))
            raise

    def _store(self, run: RunBlob, progress: Progress, previous: Manifest | None) -> Manifest:
        if not progress.complete:
            progress = self._list(run, progress, previous)
            run.save(progress)
        if not progress.parts:
            self._archive.stage(progress.snapshot_id, EMPTY_BLOCK, pack([]))
        self._archive.commit(progress.snapshot_id, block_ids(progress), progress.run_id)
        standing = self._catalog.manifest(progress.snapshot_id)
        if standing is not None:
            return standing
        manifest = describe(self._archive, progress, previous, self._clock)
        if progress.reading == 1 and not is_plausible(manifest, previous):
            return manifest
        return self._catalog.write(manifest, progress.run_id)

    def _list(self, run: RunBlob, progress: Progress, previous: Manifest | None) -> Progress:
        stage = self._stage_in(progress.snapshot_id)
        listing = RangeListing(
            self._reader(),
            stage,
            keep_slot=self._client.keep_slot,
            checkpoint=run.save,
            page_bytes=forecast.page_bytes(previous),
        )
        coverage = Coverage(
            Splitter(MAX_PAGE, self._starts(previous)),
            listed=[(part.after, part.head or (part.first_id,), part.last_id) for part in progress.parts],
        )
        try:
            return listing.run(coverage, progress)
        except OutOfOrder as error:
            log.warning("snapshot listed page by page, for lack of order", extra={"reason": str(error)})
            anew = msgspec.structs.replace(progress, parts=(), calls=listing.calls, throttled=listing.throttled)
        run.save(anew)
        return list_unordered(self._reader(), stage, anew, run.check, group_id_reader(self._kind))

    def _starts(self, previous: Manifest | None) -> list[str]:
        """Return the keys at which the pages are expected to begin, as far as the previous snapshot tells."""
        if previous is None:
            return []
        groups = previous.groups
        if groups.size <= forecast.MAX_READ_BYTES:
            ids = (group_id for group_id, _ in read_lines(self._archive, previous))
            with suppress(CorruptSnapshot):
                return forecast.starts(ids, forecast.groups_per_call(previous, MAX_PAGE), forecast.added(previous))
        return [part.last_id for part in groups.parts]

    def _reader(self) -> PageReader:
        include = self._origin.includes_user_data
        return PageReader(
            self._client, self._kind, top=MAX_PAGE, include_user_data=include, retry=Retry(self._patience)
        )

    def _stage_in(self, snapshot_id: str) -> Callable[[str, Sequence[str], Sequence[bytes]], StagedPart]:
        def stage(after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
            member, block_id = pack(lines), uuid.uuid4().hex
            self._archive.stage(snapshot_id, block_id, member)
            return StagedPart.of(block_id, len(member), after, ids)

        return stage


def _log_published(manifest: Manifest, seconds: float) -> None:
    changes = manifest.changes
    log.info(
        "snapshot published",
        extra={
            "kind": manifest.kind,
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
