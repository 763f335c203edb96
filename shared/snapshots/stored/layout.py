"""Where the blobs of a kind's copies lie: one tree for each kind, and for groups and members one container each."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from shared.face.page import ListedKind

FORMAT_VERSION = 2
SUPERSEDED_TAG = "superseded"
"""The blob tag, with the value ``true``, that retention goes by: a newer copy of the same source is published."""

DIRECTORIES = {
    ListedKind.DYNAMIC_PERSON_GROUP: "dynamic-person-groups",
    ListedKind.PERSON_GROUP: "person-groups",
    ListedKind.LARGE_PERSON_GROUP: "large-person-groups",
    ListedKind.LARGE_FACE_LIST: "large-face-lists",
}

_AHEAD = timedelta(days=1)
"""How far clocks may differ: a copy from later than that has a date that cannot be."""
_ID = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


class Layout(msgspec.Struct, frozen=True):
    """The paths of one kind's copies in their container."""

    kind: ListedKind
    data: Literal["groups", "members"]  # what the copies hold

    @property
    def directory(self) -> str:
        """Return the kind's directory, such as ``dynamic-person-groups``."""
        return DIRECTORIES[self.kind]

    @property
    def pointer(self) -> str:
        """Return the path of the blob that names the newest complete copy."""
        return f"{self.directory}/latest.json"

    @property
    def run(self) -> str:
        """Return the path of the blob that holds the lease and the progress of a run."""
        return f"{self.directory}/run.json"

    @property
    def manifests(self) -> str:
        """Return the directory of the manifests."""
        return f"{self.directory}/manifests/"

    def data_path(self, snapshot_id: str) -> str:
        """Return the path of a copy's groups or members."""
        return self._dated(self.data, snapshot_id)

    def changes_path(self, snapshot_id: str) -> str:
        """Return the path of a copy's changes."""
        return self._dated("changes", snapshot_id)

    def manifest_path(self, snapshot_id: str) -> str:
        """Return the path of a copy's manifest."""
        return f"{self.manifests}{snapshot_id}.json"

    def _dated(self, folder: str, snapshot_id: str) -> str:
        day = f"{snapshot_id[:4]}-{snapshot_id[4:6]}-{snapshot_id[6:8]}"
        return f"{self.directory}/{folder}/dt={day}/{snapshot_id}.ndjson.gz"


def new_snapshot_id(started: datetime) -> str:
    """Return the ID of a snapshot that is started now, such as ``20261120T030000Z``."""
    return started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def snapshot_time(snapshot_id: str) -> datetime:
    """Return the moment that a snapshot's ID names.

    Raises:
        ValueError: where it is not an ID.
    """
    if not _ID.fullmatch(snapshot_id):
        raise ValueError("expected a snapshot's ID such as 20261120T030000Z")
    return datetime.strptime(snapshot_id, "%Y%m%dT%H%M%S%z")


def check_past(snapshot_id: str) -> None:
    """Hold a snapshot's ID that was read to those that can be.

    Raises:
        ValueError: where it is not an ID, or from the future.
    """
    if snapshot_time(snapshot_id) > datetime.now(UTC) + _AHEAD:
        raise ValueError("the snapshot is from the future")
