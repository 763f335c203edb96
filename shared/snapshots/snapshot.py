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

import msgspec
from azure.storage.blob import ContainerClient

from shared.face.client import MAX_PAGE
from shared.face.groups import GroupsClient, ListedKind
from shared.snapshots.comparison import describe, is_plausible, read_lines
from shared.snapshots.errors import CorruptSnapshot, OutOfOrder
from shared.snapshots.listing import forecast
from shared.snapshots.listing.by_ranges import RangeListing
from shared.snapshots.listing.coverage import Coverage
from shared.snapshots.listing.lines import LineFormat
from shared.snapshots.listing.pages import PATIENCE_SECONDS, PageReader, Retry
from shared.snapshots.listing.splitting import Splitter
from shared.snapshots.listing.spool import list_unordered
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog, Published
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.lease import DEAD_RUN_SECONDS, hold_lease
from shared.snapshots.stored.manifest import Manifest
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, new_progress
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
        client: GroupsClient,
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
        self._patience = patience
        self._lease_patience = lease_patience
        self._clock = clock

    def status(self) -> RunStatus:
        """Return how the run under way stands, or the one that failed."""
        return read_status(self._run_blob)

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
        progress = self._begin(run, progress, newest)
        manifest = self._make(run, progress, previous)
        if progress.reading == 1 and not is_plausible(manifest, previous):
            log.warning("snapshot read once more, for more than half of the groups seem removed")
            run.leave(Leftover(progress.snapshot_id, progress.run_id))
            progress = self._new_progress(newest.manifest, progress.snapshot_id, reading=2)
            run.save(progress)
            manifest = self._make(run, progress, previous)
        run.check()
        self._catalog.publish(manifest, newest.etag)
        if manifest.previous is not None:
            run.leave(Leftover(manifest.previous))
        run.end(self._clear_away(run.leftovers, keep=manifest.snapshot_id))
        _log_published(manifest, time.monotonic() - began)
        return manifest

    def _comparable(self, newest: Manifest | None) -> Manifest | None:
        if newest is not None and newest.source != self._origin.source:
            log.warning("previous snapshot is of another Face resource: this one begins anew")
            return None
        return newest

    def _begin(self, run: RunBlob, found: Progress | None, newest: Published[Manifest]) -> Progress:
        progress = self._resumed(found, newest.manifest)
        if progress is None:
            if found is not None and not (newest.manifest and found.snapshot_id == newest.manifest.snapshot_id):
                run.leave(Leftover(found.snapshot_id, found.run_id))
            progress = self._new_progress(newest.manifest, found.snapshot_id if found else None, reading=1)
        progress = msgspec.structs.replace(progress, attempts=(found.attempts if found else 0) + 1)
        # Kept before the first call, so that a run which fails from here on is taken up.
        run.save(progress)
        return progress

    def _new_progress(self, newest: Manifest | None, older: str | None, *, reading: int) -> Progress:
        now, run_id = self._clock(), uuid.uuid4().hex
        taken = [snapshot_id for snapshot_id in (newest.snapshot_id if newest else None, older) if snapshot_id]
        progress = new_progress(self._origin, now, run_id, newer_than=taken)
        while self._is_taken(progress.snapshot_id):  # not the app's, or of a run that nobody knows of any more
            progress = new_progress(self._origin, now, run_id, newer_than=[*taken, progress.snapshot_id])
        return msgspec.structs.replace(progress, reading=reading)

    def _is_taken(self, snapshot_id: str) -> bool:
        return self._archive.exists(snapshot_id) or self._catalog.has(snapshot_id)

    def _resumed(self, found: Progress | None, newest: Manifest | None) -> Progress | None:
        """Return what can be gone on with of a run that died, ``None`` where it is nothing."""
        if found is None or not found.can_be_resumed(self._origin, self._clock()):
            return None
        if newest and found.snapshot_id <= newest.snapshot_id:
            return None
        blocks = self._archive.blocks(found.snapshot_id)
        if blocks.committed:
            # Others than its own blocks are somebody else's.
            own = found.complete and blocks.committed == _block_ids(found)
            return found if own and not self._is_outdated(found, newest) else None
        if self._archive.exists(found.snapshot_id):
            return None
        parts = tuple(part for part in found.parts if blocks.staged.get(part.block_id) == part.length)
        complete = found.complete and len(parts) == len(found.parts)
        resumed = msgspec.structs.replace(found, parts=parts, complete=complete)
        log.info("snapshot resumed", extra={"groups": resumed.groups})
        return resumed

    def _is_outdated(self, found: Progress, newest: Manifest | None) -> bool:
        try:
            manifest = self._catalog.manifest(found.snapshot_id)
        except CorruptSnapshot:
            return True
        return manifest is not None and manifest.previous not in (None, newest.snapshot_id if newest else None)

    def _make(self, run: RunBlob, progress: Progress, previous: Manifest | None) -> Manifest:
        if not progress.complete:
            progress = self._list(run, progress, previous)
            run.save(progress)
        if not progress.parts:
            # A file of no bytes is not a gzip file: an empty list is one member without lines.
            self._archive.stage(progress.snapshot_id, _EMPTY_BLOCK, pack([]))
        self._archive.commit(progress.snapshot_id, _block_ids(progress), progress.run_id)
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
            seconds_until_free=self._client.seconds_until_free,
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
        return list_unordered(self._reader(), stage, anew, run.check, LineFormat(self._kind).id_of)

    def _starts(self, previous: Manifest | None) -> list[str]:
        """Return the keys at which the pages are expected to begin, as far as the previous snapshot tells."""
        if previous is None:
            return []
        groups = previous.groups
        if groups.size <= forecast.MAX_READ_BYTES:
            ids = (group_id for group_id, _ in read_lines(self._archive, previous))
            with suppress(CorruptSnapshot):
                return forecast.starts(ids, groups.count, forecast.groups_per_call(previous, MAX_PAGE))
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

    def _clear_away(self, leftovers: Sequence[Leftover], keep: str) -> tuple[Leftover, ...]:
        """Clear away what can be, and return the rest; nothing of it is missed, so no trouble ends the run."""
        rest = []
        for leftover in leftovers:
            try:
                if leftover.snapshot_id == keep:
                    continue
                if leftover.run_id is not None:
                    self._catalog.delete_own(leftover.snapshot_id, leftover.run_id)
                    self._archive.delete_own(leftover.snapshot_id, leftover.run_id)
                elif manifest := self._catalog.manifest(leftover.snapshot_id):
                    self._catalog.tag_superseded(manifest)
            except Exception as error:  # noqa: BLE001 - whatever it is, the snapshot is published
                status = getattr(error, "status_code", None)
                log.warning(
                    "snapshot leftover not cleared away", extra={"error": type(error).__name__, "status": status}
                )
                rest.append(leftover)
        return tuple(rest)


_EMPTY_BLOCK = "0" * 32


def _block_ids(progress: Progress) -> list[str]:
    return [part.block_id for part in progress.parts] or [_EMPTY_BLOCK]


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
