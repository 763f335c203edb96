"""The app's snapshots on doubles of the storage and the service, as the host and people drive them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.api.responses import Query, Response, respond
from shared.api.snapshots import SnapshotsApi
from shared.face.errors import FaceError, ServerFault
from shared.face.page import ListedGroup, ListedKind
from shared.redaction import StorageFault, redact_errors
from shared.snapshots.errors import CorruptSnapshot, SnapshotError
from shared.snapshots.jobs import SnapshotJobs, SnapshotRequest
from shared.snapshots.library import Library
from shared.snapshots.members import MembersJob
from shared.snapshots.restore.source import RestoreSource
from shared.snapshots.snapshot import SnapshotJob
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.manifest import Manifest, MembersManifest
from tests.hostile.limited import SECRET
from tests.support.directory_model import DirectoryModel, line
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.container import InMemoryContainer
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ENDPOINT

KIND = ListedKind.DYNAMIC_PERSON_GROUP
GROUPS = Layout(KIND, "groups")


class ModelGroups:
    """The service's groups, as ``GroupsClient`` lists them; after so many ``calls`` it fails."""

    def __init__(self, directory: DirectoryModel) -> None:
        self.directory = directory
        self.endpoint = ENDPOINT
        self.calls: float = float("inf")
        self.error: FaceError = ServerFault("the model is down", status=500)

    def api_version(self, _kind: ListedKind) -> str:
        return "v1.2-preview.1"

    def keep_slot(self) -> float:
        return 0.0

    def groups(self, _kind: ListedKind, start: str = "", top: int = 1000) -> list[ListedGroup]:
        self._call()
        return [
            ListedGroup(group_id, self.directory.groups[group_id]) for group_id in self.directory.ids_behind(start, top)
        ]

    def persons(self, group_id: str) -> tuple[list[str], int]:
        self._call()
        return [f"{SECRET}-{group_id}"], 2

    def _call(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise self.error


class Copies:
    """The jobs that copy groups and members, on containers and a service of their own."""

    def __init__(self, ids: list[str]) -> None:
        self.groups, self.members = InMemoryContainer(), InMemoryContainer()
        directory = DirectoryModel(ids)
        directory.groups = {each: line(each, name=SECRET, userData=SECRET) for each in ids}
        self.service = ModelGroups(directory)
        client: Any = self.service
        groups: Any = self.groups
        members: Any = self.members
        self.groups_job = SnapshotJob(client, groups, KIND, include_user_data=True, patience=0, lease_patience=0)
        self.members_job = MembersJob(client, groups, members, days=30, patience=0, lease_patience=0)
        queue: Any = InMemoryQueue(VirtualClock())
        self._jobs = SnapshotJobs({KIND: self.groups_job}, self.members_job, queue)
        self._api = SnapshotsApi(
            {KIND: Catalog(groups, GROUPS, Manifest)}, self._jobs, queue, lambda: datetime(2026, 11, 21, 3, tzinfo=UTC)
        )
        self._library = Library(groups, KIND)
        self._containers = groups, members

    def attempt(self) -> None:
        """Run all jobs as the timers do; what they raise has to be the app's or the storage's."""
        order = msgspec.json.encode(SnapshotRequest(KIND))
        for work in (self._jobs.run_all, lambda: self._jobs.handle(order), self._jobs.request_failed):
            with _typed_errors():
                work()

    def publish(self) -> tuple[Manifest, MembersManifest]:
        """Run both jobs, and hold what they publish to what the service has."""
        manifest, members = self.groups_job.run(), self.members_job.run()
        assert manifest is not None
        assert members is not None
        assert self._library.get() == manifest
        ids = [group_id for group_id, _ in self._library.lines(manifest)]
        assert ids == sorted(self.service.directory.groups)
        restored = list(RestoreSource(*self._containers, manifest)())
        assert [group_id for group_id, wanted in restored if wanted.persons] == ids
        return manifest, members

    def look(self, snapshot_id: str) -> None:
        """Do all that people may; each ends well, or in an error that says what is wrong."""
        query = Query(base="https://app.example", path="/api/snapshots", body=json.dumps({"kind": KIND}).encode())
        views: list[Callable[[], Response]] = [
            lambda: self._api.list(query),
            lambda: self._api.manifest(query, KIND, snapshot_id),
            lambda: self._api.take(query),
        ]
        for view in views:
            response = respond(view)
            assert response.status < 500, response.body
            json.loads(response.body)
        for each in self._library.manifests():
            if not isinstance(each, CorruptSnapshot):
                self._read(each)

    def _read(self, manifest: Manifest) -> None:
        for work in (
            lambda: self._library.verify(manifest),
            lambda: self._library.find(manifest, "group-03"),
            lambda: list(self._library.diff(manifest, manifest)),
            lambda: list(RestoreSource(*self._containers, manifest)()),
        ):
            with _typed_errors():
                work()


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        with redact_errors():
            yield
    except (SnapshotError, FaceError, StorageFault):
        return
