"""All snapshot jobs of the app: what the timer runs each night, what is asked for, and what failed."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec
from azure.storage.queue import QueueClient

from shared import telemetry
from shared.face.errors import FaceError
from shared.face.page import ListedKind
from shared.redaction import describe
from shared.snapshots.errors import SnapshotError
from shared.snapshots.members import MembersJob
from shared.snapshots.snapshot import SnapshotJob
from shared.snapshots.stored.run import RunStatus

type Data = Literal["groups", "members"]
log = logging.getLogger(__name__)


class SnapshotRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A message of the queue ``snapshot-requests``."""

    kind: ListedKind
    failed: str | None = None  # the run to take up again; None: take a snapshot now
    data: Data = "groups"


class SnapshotJobs:
    """The jobs of the kinds that are kept, and of the members of dynamic person groups where they are."""

    def __init__(
        self, jobs: Mapping[ListedKind, SnapshotJob], members: MembersJob | None, requests: QueueClient
    ) -> None:
        self._jobs = jobs
        self._members = members
        self._requests = requests

    def status(self, kind: ListedKind) -> RunStatus:
        """Return how the run of a kind that is kept stands.

        Raises:
            AzureError: the storage failed.
        """
        return self._jobs[kind].status()

    def run_all(self) -> None:
        """Take a snapshot of each kind; one that fails stops no other.

        Raises:
            Exception: the first that a job raised, once all have run.
        """
        failures: list[Exception] = []
        for kind in self._jobs:
            try:
                self._run(kind)
            except Exception as error:  # noqa: BLE001 - one kind never stops the others; it is raised below
                _log_failure(kind, error)
                failures.append(error)
        if failures:
            raise failures[0]

    def handle(self, body: bytes) -> None:
        """Do what a message asks for; a run that fails is not raised, since the timer takes it up.

        Raises:
            AzureError: where the storage fails.
        """
        try:
            request = msgspec.json.decode(body, type=SnapshotRequest)
        except (ValueError, RecursionError):
            log.warning("snapshot request unreadable", extra={"bytes": len(body)})
            return
        if request.kind not in self._jobs:
            log.warning("snapshot request of a kind that is not kept", extra={"kind": request.kind})
            return
        try:
            if self._is_wanted(request):
                self._carry_out(request)
        except (FaceError, SnapshotError) as error:
            _log_failure(request.kind, error)

    def request_failed(self) -> None:
        """Put a request on the queue for each failed run that is due to be taken up."""
        for kind, job in self._jobs.items():
            self._request_if_due(kind, "groups", job)
        if self._members:
            self._request_if_due(ListedKind.DYNAMIC_PERSON_GROUP, "members", self._members)

    def measure_ages(self) -> None:
        """Measure how old the newest snapshot of each kind is.

        Raises:
            AzureError: the storage failed.
        """
        for kind, job in self._jobs.items():
            if published_at := job.published_at():
                telemetry.measure_snapshot_age(kind, (datetime.now(UTC) - published_at).total_seconds())

    def _request_if_due(self, kind: ListedKind, data: Data, job: SnapshotJob | MembersJob) -> None:
        status = job.status()
        if status.progress and status.is_due(datetime.now(UTC)):
            request = SnapshotRequest(kind, status.progress.snapshot_id, data)
            self._requests.send_message(msgspec.json.encode(request).decode())
            log.info("snapshot run taken up", extra={"kind": kind, "attempts": status.progress.attempts})

    def _is_wanted(self, request: SnapshotRequest) -> bool:
        if request.failed is None:
            return True
        job = self._members if request.data == "members" else self._jobs[request.kind]
        status = job.status() if job else None
        return bool(status and not status.running and status.progress and status.progress.snapshot_id == request.failed)

    def _carry_out(self, request: SnapshotRequest) -> None:
        if request.data == "groups":
            self._run(request.kind)
        elif self._members:
            self._members.run()

    def _run(self, kind: ListedKind) -> None:
        manifest = self._jobs[kind].run()
        if manifest and self._members and kind is ListedKind.DYNAMIC_PERSON_GROUP:
            self._members.run()


def _log_failure(kind: ListedKind, error: Exception) -> None:
    fields: dict[str, object] = {"kind": kind, "error": type(error).__name__, "reason": describe(error)}
    if isinstance(error, FaceError):
        fields |= {"http_status": error.status, "code": error.documented_code}
    # Without the trace, which quotes the texts of all errors that led to it, and which Azure Monitor would put into
    # another table, which no alert reads.
    log.error("snapshot failed", extra=fields)
