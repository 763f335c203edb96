"""Let one run at a time make snapshots, by a blob lease; the leased blob holds that run's progress."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import msgspec
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

from shared.snapshots.errors import LeaseLost
from shared.snapshots.stored.progress import Progress

LOCK_PATH = "dynamic-person-groups-run.json"
LEASE_SECONDS = 60
RENEW_SECONDS = 15.0
# A lease is given up by ourselves before the service gives it to another.
_SAFE_SECONDS = 45.0

_progress = msgspec.json.Decoder(Progress)
logger = logging.getLogger(__name__)


class RunLock:
    """Hold the lease, renewed by a thread of its own, and keep the run's progress under it."""

    def __init__(self, blob: BlobClient, lease: BlobLeaseClient, acquired: float) -> None:
        self._blob = blob
        self._lease = lease
        self._renewed = acquired
        self._refused = False
        self._released = Event()

    def check(self) -> None:
        """Return where this run may still write.

        Raises:
            LeaseLost: where another run may have begun.
        """
        if self._refused or time.monotonic() - self._renewed > _SAFE_SECONDS:
            raise LeaseLost("the run's lease was broken or could not be renewed in time; another run may be under way")

    def progress(self) -> Progress | None:
        """Return what a run that died has left, ``None`` where the last one ended well."""
        text = self._blob.download_blob().readall()
        try:
            return _progress.decode(text) if text else None
        except msgspec.DecodeError:
            return None  # written by another version of the app: start over

    def save(self, progress: Progress) -> None:
        """Keep the progress."""
        self._write(msgspec.json.encode(progress))

    def clear(self) -> None:
        """Forget the progress: the run has ended."""
        self._write(b"")

    def _write(self, text: bytes) -> None:
        self.check()
        try:
            self._blob.upload_blob(text, overwrite=True, lease=self._lease)
        except HttpResponseError as error:
            if error.status_code == 412:
                raise LeaseLost("the run's lease was taken by another run") from error
            raise

    def keep_renewing(self) -> None:
        """Renew the lease until it is released or lost."""
        while not self._released.wait(RENEW_SECONDS):
            asked = time.monotonic()
            try:
                self._lease.renew()
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    self._refused = True
                    return
                logger.warning("snapshot lease not renewed", extra={"error": type(error).__name__})
            except AzureError as error:
                logger.warning("snapshot lease not renewed", extra={"error": type(error).__name__})
            else:
                self._renewed = asked

    def release(self) -> None:
        """Stop the renewal; leave the lease to whoever holds it by now."""
        self._released.set()
        with suppress(AzureError):  # it runs out by itself
            self._lease.release()


@contextmanager
def run_lock(container: ContainerClient) -> Iterator[RunLock | None]:
    """Hold the lock while the block runs; give ``None`` where another run holds it."""
    blob = container.get_blob_client(LOCK_PATH)
    asked = time.monotonic()
    # The lease's ID is proposed, so that the SDK's own retry of an acquisition is not refused.
    lease = BlobLeaseClient(blob)
    if not _acquired(blob, lease):
        yield None
        return
    lock = RunLock(blob, lease, asked)
    renewal = Thread(target=lock.keep_renewing, name="snapshot-lease", daemon=True)
    renewal.start()
    try:
        yield lock
    finally:
        lock.release()
        renewal.join()


def _acquired(blob: BlobClient, lease: BlobLeaseClient) -> bool:
    try:
        lease.acquire(LEASE_SECONDS)
    except ResourceExistsError:
        return False
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another run was quicker
            blob.upload_blob(b"")
        return _acquired(blob, lease)
    return True
