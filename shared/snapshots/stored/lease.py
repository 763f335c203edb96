"""The lease that lets one run at a time copy a kind of group."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.snapshots.errors import LeaseLost

LEASE_SECONDS = 60
RENEW_SECONDS = 15.0
DEAD_RUN_SECONDS = 65.0
"""How long the lease of a run that died can still stand."""
_RETRY_SECONDS = 2.0
# A lease is given up by ourselves before the service gives it to another.
_SAFE_SECONDS = 45.0
log = logging.getLogger(__name__)


class Lease:
    """A lease that is held, renewed by a thread of its own."""

    def __init__(self, blob: BlobClient, client: BlobLeaseClient, acquired: float) -> None:
        self.blob = blob
        self._client = client
        self._renewed = acquired
        self._lost = False
        self._released = Event()

    def check(self) -> None:
        """Return where this run may still write.

        Raises:
            LeaseLost: where another run may have begun.
        """
        if self._lost or time.monotonic() - self._renewed > _SAFE_SECONDS:
            raise LeaseLost("the run's lease was broken or could not be renewed in time; another run may be under way")

    def write(self, text: bytes) -> None:
        """Write to the leased blob.

        Raises:
            LeaseLost: where another run may have begun.
        """
        self.check()
        try:
            # Where the blob is gone, its lease is gone with it.
            present = MatchConditions.IfPresent
            self.blob.upload_blob(text, overwrite=True, lease=self._client, match_condition=present)
        except HttpResponseError as error:
            if error.status_code == 412:
                raise LeaseLost("the run's lease was taken by another run") from error
            raise

    def tag(self, tags: dict[str, str]) -> None:
        """Set the tags of the leased blob."""
        self.blob.set_blob_tags(tags, lease=self._client)

    def keep_renewing(self) -> None:
        """Renew the lease until it is released or lost."""
        while not self._released.wait(RENEW_SECONDS):
            asked = time.monotonic()
            try:
                self._client.renew()
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    self._lost = True
                    return
                log.warning("snapshot lease not renewed", extra={"error": type(error).__name__})
            except AzureError as error:
                log.warning("snapshot lease not renewed", extra={"error": type(error).__name__})
            else:
                self._renewed = asked

    def release(self) -> None:
        """Stop the renewal; leave the lease to whoever holds it by now."""
        self._released.set()
        with suppress(AzureError):  # it runs out by itself
            self._client.release()


@contextmanager
def hold_lease(blob: BlobClient, *, patience: float = 0.0) -> Iterator[Lease | None]:
    """Hold the lease while the block runs; give ``None`` where another run still holds it after ``patience`` seconds.

    The lease of a run that died runs out within ``DEAD_RUN_SECONDS``; one that lives renews it.
    """
    deadline = time.monotonic() + patience
    while (acquired := _acquire(blob)) is None:
        if time.monotonic() >= deadline:
            yield None
            return
        time.sleep(min(_RETRY_SECONDS, max(0.0, deadline - time.monotonic())))
    lease = Lease(blob, *acquired)
    renewal = Thread(target=lease.keep_renewing, name="snapshot-lease", daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        lease.release()
        renewal.join()


def _acquire(blob: BlobClient) -> tuple[BlobLeaseClient, float] | None:
    asked = time.monotonic()
    # The lease's ID is proposed, so that the SDK's own retry of an acquisition is not refused.
    client = BlobLeaseClient(blob)
    try:
        client.acquire(LEASE_SECONDS)
    except ResourceExistsError:
        return None
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another run was quicker
            blob.upload_blob(b"")
        return _acquire(blob)
    return client, asked
