"""How a run begins: with what a dead run has left where that can be gone on with, else anew; and how it clears away."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime

import msgspec
from azure.core.exceptions import AzureError

from shared.snapshots.errors import CorruptSnapshot, LeaseLost
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog, Published
from shared.snapshots.stored.manifest import Manifest, MembersManifest
from shared.snapshots.stored.progress import Origin, Progress, new_progress
from shared.snapshots.stored.run import Leftover, RunBlob

EMPTY_BLOCK = "0" * 32
"""The block of a list without lines: a file of no bytes is not a gzip file, so it is one member without lines."""
log = logging.getLogger(__name__)


def block_ids(progress: Progress) -> list[str]:
    """Return the blocks of a copy, in order."""
    return [part.block_id for part in progress.parts] or [EMPTY_BLOCK]


class Beginning[M: (Manifest, MembersManifest)]:
    """The begin and the end of the runs that copy one kind."""

    def __init__(self, archive: Archive, catalog: Catalog[M], origin: Origin, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._catalog: Catalog[M] = catalog
        self._origin = origin
        self._clock = clock

    def begin(self, run: RunBlob, found: Progress | None, newest: Published[M]) -> Progress:
        """Return the progress that this run goes on with, kept before the first call: a run that fails is taken up."""
        progress = self._resumed(found, newest.manifest)
        if progress is None:
            if found is not None:
                self.leave(run, found, newest.manifest)
            progress = self.anew(newest.manifest, found.snapshot_id if found else None)
        progress = msgspec.structs.replace(progress, attempts=(found.attempts if found else 0) + 1)
        run.save(progress)
        return progress

    def leave(self, run: RunBlob, found: Progress, newest: M | None) -> None:
        """Note what a run that is not gone on with has left to be cleared away."""
        if newest is None or found.snapshot_id != newest.snapshot_id:
            run.leave(Leftover(found.snapshot_id, found.run_id))
        elif newest.previous is not None:
            # It died right after it had published.
            run.leave(Leftover(newest.previous))

    def anew(self, newest: M | None, older: str | None, *, reading: int = 1) -> Progress:
        """Return the progress of a run under an ID that is newer than those given, and that nobody has."""
        now, run_id = self._clock(), uuid.uuid4().hex
        taken: list[str] = [older] if older else []
        if newest:
            taken.append(newest.snapshot_id)
        progress = new_progress(self._origin, now, run_id, newer_than=taken)
        while self._archive.exists(progress.snapshot_id) or self._catalog.has(progress.snapshot_id):
            # Not the app's, or of a run that nobody knows of any more.
            progress = new_progress(self._origin, now, run_id, newer_than=[*taken, progress.snapshot_id])
        return msgspec.structs.replace(progress, reading=reading)

    def clear_away(self, run: RunBlob, keep: str) -> None:
        """End the run: clear away what can be, and keep the rest for the next one.

        Nothing of it is missed, and the copy is published: no trouble ends the run in an error.
        """
        rest = []
        for leftover in run.leftovers:
            try:
                if leftover.snapshot_id != keep:
                    self._clear(leftover)
            except Exception as error:  # noqa: BLE001 - see above
                status = getattr(error, "status_code", None)
                log.warning(
                    "snapshot leftover not cleared away", extra={"error": type(error).__name__, "status": status}
                )
                rest.append(leftover)
        try:
            run.end(tuple(rest))
        except (LeaseLost, AzureError) as error:
            log.warning("snapshot run's end not noted", extra={"error": type(error).__name__})

    def _clear(self, leftover: Leftover) -> None:
        if leftover.run_id is not None:
            self._catalog.delete_own(leftover.snapshot_id, leftover.run_id)
            self._archive.delete_own(leftover.snapshot_id, leftover.run_id)
        elif manifest := self._catalog.manifest(leftover.snapshot_id):
            self._catalog.tag_superseded(manifest)

    def _resumed(self, found: Progress | None, newest: M | None) -> Progress | None:
        """Return what can be gone on with of a run that died, ``None`` where it is nothing."""
        if found is None or not found.can_be_resumed(self._origin, self._clock()):
            return None
        if newest and found.snapshot_id <= newest.snapshot_id:
            return None
        blocks = self._archive.blocks(found.snapshot_id)
        if blocks.committed:
            # Others than its own blocks are somebody else's.
            own = found.complete and blocks.committed == block_ids(found)
            return found if own and not self._is_outdated(found, newest) else None
        if self._archive.exists(found.snapshot_id):
            return None
        parts = tuple(part for part in found.parts if blocks.staged.get(part.block_id) == part.length)
        complete = found.complete and len(parts) == len(found.parts)
        resumed = msgspec.structs.replace(found, parts=parts, complete=complete)
        log.info("snapshot resumed", extra={"groups": resumed.groups})
        return resumed

    def _is_outdated(self, found: Progress, newest: M | None) -> bool:
        try:
            manifest = self._catalog.manifest(found.snapshot_id)
        except CorruptSnapshot:
            return True
        return manifest is not None and manifest.previous not in (None, newest.snapshot_id if newest else None)
