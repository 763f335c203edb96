"""One copy of the persons of all dynamic person groups, made whole or not at all.

Each run lists a share of the groups: new and changed ones first, then those that were not listed for longest. The
other lines are taken over from the copy before, each with the time at which it was listed. The run holds its lease,
stages and publishes as a snapshot of groups does (``snapshot.py``), and goes on where a dead one ended.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from azure.storage.blob import ContainerClient

from shared.face.groups import GroupsClient
from shared.face.page import ListedKind
from shared.face.timestamps import format_utc
from shared.snapshots.changes import side_by_side
from shared.snapshots.comparison import read_lines
from shared.snapshots.errors import CorruptSnapshot, PreviousUnreadable
from shared.snapshots.listing.lines import id_reader
from shared.snapshots.listing.members import MembersListing, Pair, batches, choose, read_members
from shared.snapshots.listing.pages import PATIENCE_SECONDS, Retry
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.begin import EMPTY_BLOCK, Beginning, block_ids
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.gzip_members import pack, unpack
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.lease import DEAD_RUN_SECONDS, hold_lease
from shared.snapshots.stored.lines import StoredLines
from shared.snapshots.stored.manifest import DataBlob, Manifest, MembersManifest
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, placed_parts, without_parts
from shared.snapshots.stored.run import Leftover, RunBlob, RunStatus, read_status, restore_run_blob

_SAVE_SECONDS = 5.0
read_change_id = id_reader("groupId")
KIND = ListedKind.DYNAMIC_PERSON_GROUP
LAYOUT = Layout(KIND, "members")
log = logging.getLogger(__name__)


class MembersJob:
    """The job that copies the members of all dynamic person groups; ``days`` is how long a line may grow old."""

    def __init__(
        self,
        client: GroupsClient[Any],
        groups: ContainerClient,
        members: ContainerClient,
        *,
        days: float,
        patience: float = PATIENCE_SECONDS,
        lease_patience: float = DEAD_RUN_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._groups = Archive(groups, Layout(KIND, "groups"))
        self._groups_catalog = Catalog(groups, Layout(KIND, "groups"), Manifest)
        self._archive = Archive(members, LAYOUT)
        self._catalog = Catalog(members, LAYOUT, MembersManifest)
        self._run_blob = members.get_blob_client(LAYOUT.run)
        self._origin = Origin(client.endpoint, client.api_version(KIND), includes_user_data=False)
        self._days = days
        self._patience = patience
        self._lease_patience = lease_patience
        self._clock = clock

    def status(self) -> RunStatus:
        """Return how the run under way stands, or the one that failed."""
        return read_status(self._run_blob)

    def run(self) -> MembersManifest | None:
        """Copy the members of the newest snapshot's groups, and return the copy's manifest.

        Return ``None`` where another run is copying, or where there is nothing new to copy.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
            SnapshotError: where the stored blobs are not what they must be, or the lease is lost.
            AzureError: where the storage fails.
        """
        restore_run_blob(self._run_blob)
        with hold_lease(self._run_blob, patience=self._lease_patience) as lease:
            if lease is None:
                log.info("members already being copied")
                return None
            run = RunBlob(lease)
            return self._run(run, run.load())

    def _run(self, run: RunBlob, found: Progress | None) -> MembersManifest | None:
        run.check_tags()
        groups, newest = self._groups_catalog.newest().manifest, self._catalog.newest()
        if groups is None or groups.source != self._origin.source:
            return None
        origin = msgspec.structs.replace(self._origin, groups_snapshot=groups.snapshot_id)
        beginning = Beginning(self._archive, self._catalog, origin, self._clock)
        if newest.manifest and newest.manifest.groups_snapshot == groups.snapshot_id:
            if found is not None:  # left by a run that died right after it had published
                beginning.leave(run, found, newest.manifest)
                beginning.clear_away(run, keep=newest.manifest.snapshot_id)
            return None
        previous = newest.manifest if newest.manifest and newest.manifest.source == self._origin.source else None
        progress = beginning.begin(run, found, newest)
        try:
            manifest = self._make(run, progress, groups, previous)
        except PreviousUnreadable as error:
            log.warning("previous members cannot be taken over", extra={"reason": str(error)})
            manifest = self._make(run, without_parts(progress), groups, None)
        run.check()
        self._catalog.publish(manifest, newest.etag)
        if manifest.previous is not None:
            run.leave(Leftover(manifest.previous))
        beginning.clear_away(run, keep=manifest.snapshot_id)
        log.info("members published", extra={"groups": manifest.members.count, "listed": manifest.listed})
        return manifest

    def _make(
        self, run: RunBlob, progress: Progress, groups: Manifest, previous: MembersManifest | None
    ) -> MembersManifest:
        try:
            return self._store(run, progress, groups, previous)
        except CorruptSnapshot:
            # It may be what is on record of the run's parts that is wrong.
            run.save(without_parts(progress))
            raise

    def _store(
        self, run: RunBlob, progress: Progress, groups: Manifest, previous: MembersManifest | None
    ) -> MembersManifest:
        if not progress.complete:
            progress = self._copy(run, progress, groups, previous)
            run.save(progress)
        if not progress.parts:
            self._archive.stage(progress.snapshot_id, EMPTY_BLOCK, pack([]))
        self._archive.commit(progress.snapshot_id, block_ids(progress), progress.run_id)
        return self._catalog.write(self._describe(progress, groups, previous), progress.run_id)

    def _copy(self, run: RunBlob, progress: Progress, groups: Manifest, previous: MembersManifest | None) -> Progress:
        chosen = choose(self._side_by_side(groups, previous), self._changed(groups, previous), self._days)
        listing = MembersListing(self._client, Retry(self._patience), chosen, self._clock)
        after = progress.parts[-1].last_id if progress.parts else ""
        lines = listing.lines(pair for pair in self._side_by_side(groups, previous) if pair[0] > after)
        parts, saved, last = list(progress.parts), time.monotonic(), after

        def so_far(*, complete: bool) -> Progress:
            calls, throttled = progress.calls + listing.calls, progress.throttled + listing.throttled
            return msgspec.structs.replace(
                progress, parts=tuple(parts), calls=calls, throttled=throttled, complete=complete
            )

        for batch in batches(lines):
            ids = [group_id for group_id, _ in batch]
            member, block_id = pack(line for _, line in batch), uuid.uuid4().hex
            self._archive.stage(progress.snapshot_id, block_id, member)
            parts.append(StagedPart.of(block_id, len(member), last, ids))
            last = ids[-1]
            if time.monotonic() - saved > _SAVE_SECONDS:
                run.save(so_far(complete=False))
                saved = time.monotonic()
        return so_far(complete=True)

    def _side_by_side(self, groups: Manifest, previous: MembersManifest | None) -> Iterator[Pair]:
        old = self._old_lines(previous) if previous else iter(())
        new = read_lines(self._groups, groups)
        for group_id, line, group in side_by_side(old, new):
            if group is not None:
                yield group_id, line

    def _old_lines(self, previous: MembersManifest) -> Iterator[tuple[str, bytes]]:
        try:
            for group_id, line in read_lines(self._archive, previous):
                read_members(line)
                yield group_id, line
        except (CorruptSnapshot, ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, CorruptSnapshot) else "a line is not a group's members"
            raise PreviousUnreadable(f"copy {previous.snapshot_id}: {reason}") from None

    def _changed(self, groups: Manifest, previous: MembersManifest | None) -> set[str]:
        """Return the groups that changed since the copy before, as far as the snapshot tells."""
        if previous is None or groups.changes is None or groups.previous != previous.groups_snapshot:
            return set()
        members = unpack(self._groups.read_changes(groups.snapshot_id))
        try:
            return {read_change_id(line) for member in members for line in member.lines}
        except (CorruptSnapshot, ValueError) as error:
            log.warning("changes of the groups unreadable", extra={"error": type(error).__name__})
            return set()

    def _describe(self, progress: Progress, groups: Manifest, previous: MembersManifest | None) -> MembersManifest:
        parts, listed, persons = placed_parts(progress.parts), 0, 0
        stored = StoredLines(self._archive.read(progress.snapshot_id), parts, id_reader(KIND.id_field))
        for _, line in stored:
            members = read_members(line)
            persons += len(members.person_ids)
            listed += members.listed_at >= progress.started_at
        path = LAYOUT.data_path(progress.snapshot_id)
        return MembersManifest(
            kind=KIND,
            snapshot_id=progress.snapshot_id,
            groups_snapshot=groups.snapshot_id,
            started_at=progress.started_at,
            finished_at=format_utc(self._clock()),
            source=progress.origin.source,
            api_version=progress.origin.api_version,
            previous=previous.snapshot_id if previous else None,
            calls=progress.calls,
            throttled=progress.throttled,
            listed=listed,
            persons=persons,
            members=DataBlob(path, progress.groups, stored.size, stored.sha256, parts),
        )
