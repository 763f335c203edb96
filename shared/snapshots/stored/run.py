"""The blob of a run under way: its lease, its progress, and what earlier runs have left to be cleared away."""

import logging
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobProperties

from shared.snapshots.errors import UnsupportedStorage
from shared.snapshots.stored.archive import error_code
from shared.snapshots.stored.lease import Lease
from shared.snapshots.stored.manifest import MAX_MANIFEST_BYTES
from shared.snapshots.stored.progress import Progress

MAX_LEFTOVERS = 100
_MAX_PAUSE = timedelta(minutes=30)
# Error codes of an account with a hierarchical namespace, which has no tags.
_NO_TAGS = ("BlobTagsNotSupportedForAccountType", "FeatureNotYetSupportedForHierarchicalNamespaceAccounts")
log = logging.getLogger(__name__)


class Leftover(msgspec.Struct, frozen=True, rename="camel"):
    """A copy that is to be cleared away once a newer one is published."""

    snapshot_id: str
    run_id: str | None = None  # of a run that came to nothing: delete what bears its mark; None: tag as superseded


class RunState(msgspec.Struct, frozen=True, rename="camel"):
    """What the run's blob holds."""

    progress: Progress | None = None  # None while no run is under way
    leftovers: tuple[Leftover, ...] = ()


class RunStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How a run stands, for people and for the timer."""

    running: bool  # somebody holds the lease
    progress: Progress | None  # of the run under way, or of one that failed
    changed_at: datetime | None  # when the blob was last written

    def is_due(self, now: datetime) -> bool:
        """Tell whether a failed run is to be taken up: at once, then after pauses that double up to half an hour."""
        if self.running or self.progress is None or self.changed_at is None:
            return False
        pause = timedelta(minutes=2 ** min(max(0, self.progress.attempts - 1), 10) - 1)
        return now - self.changed_at >= min(_MAX_PAUSE, pause)


_state = msgspec.json.Decoder(RunState)


class RunBlob:
    """The state of a run, kept under its lease."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._leftovers: tuple[Leftover, ...] = ()

    @property
    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what is to be cleared away."""
        return self._leftovers

    def load(self) -> Progress | None:
        """Return what a run that died has left, ``None`` where the last one ended well or its state is unreadable."""
        state = _read_state(self._lease.blob)
        self._leftovers = state.leftovers
        return state.progress

    def save(self, progress: Progress) -> None:
        """Keep the progress."""
        self._write(RunState(progress, self._leftovers))

    def leave(self, *leftovers: Leftover) -> None:
        """Note what is to be cleared away; it is kept with the next progress."""
        new = [leftover for leftover in leftovers if leftover not in self._leftovers]
        self._leftovers = (*self._leftovers, *new)[-MAX_LEFTOVERS:]

    def end(self, leftovers: tuple[Leftover, ...]) -> None:
        """Forget the progress: the run has ended; keep what could not be cleared away."""
        self._leftovers = leftovers
        self._write(RunState(None, leftovers))

    def check(self) -> None:
        """Return where this run may still write.

        Raises:
            LeaseLost: where another run may have begun.
        """
        self._lease.check()

    def check_tags(self) -> None:
        """Try to tag a blob, since retention goes by tags.

        Raises:
            UnsupportedStorage: where the account has none.
        """
        try:
            self._lease.tag({})
        except HttpResponseError as error:
            if error_code(error) in _NO_TAGS:
                raise UnsupportedStorage(
                    "the storage account has a hierarchical namespace, and so no blob tags; expected one without: "
                    "snapshots are removed by a tag. Name another account in DataStorage"
                ) from None
            log.warning("snapshot blobs cannot be tagged", extra={"status": error.status_code})

    def _write(self, state: RunState) -> None:
        self._lease.write(msgspec.json.encode(state))


def restore_run_blob(blob: BlobClient) -> None:
    """Make the run's blob usable again where somebody has leased it without end, or put it in the archive tier."""
    try:
        properties = blob.get_blob_properties()
    except ResourceNotFoundError:
        return
    if properties.lease.duration == "infinite":
        log.warning("snapshot lease without end broken; the app's own last a minute")
        with suppress(ResourceExistsError):  # given back meanwhile
            BlobLeaseClient(blob).break_lease(0)
    if properties.blob_tier == "Archive" and not _is_held(properties):
        blob.delete_blob()


def read_status(blob: BlobClient) -> RunStatus:
    """Return how a run stands."""
    try:
        properties = blob.get_blob_properties()
    except ResourceNotFoundError:
        return RunStatus(running=False, progress=None, changed_at=None)
    return RunStatus(
        running=_is_held(properties), progress=_read_state(blob).progress, changed_at=properties.last_modified
    )


def _is_held(properties: BlobProperties) -> bool:
    """Tell whether a run may hold the lease; a run's ends by itself."""
    return properties.lease.state == "leased" and properties.lease.duration != "infinite"


def _read_state(blob: BlobClient) -> RunState:
    try:
        # One byte more than there may be, so that what is too long cannot be read as JSON.
        text = blob.download_blob(0, MAX_MANIFEST_BYTES).readall()
        state = _state.decode(text) if text else RunState()
        if state.progress:
            state.progress.check()
    except (ValueError, RecursionError) as error:
        # Another version of the app wrote it, or somebody else did: start over.
        log.warning("snapshot progress unreadable", extra={"error": type(error).__name__})
        return RunState()
    except HttpResponseError as error:
        if error_code(error) in ("InvalidRange", "BlobArchived"):  # empty, or out of reach
            return RunState()
        raise
    return state
