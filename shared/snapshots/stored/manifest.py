"""Describe a snapshot: its manifest, the pointer to the newest one, and where both lie."""

from datetime import UTC, datetime

import msgspec

FORMAT_VERSION = 1
GROUPS_NAME = "groups.ndjson.gz"
CHANGES_NAME = "changes.ndjson.gz"
MANIFEST_NAME = "manifest.json"
DIRECTORY = "dynamic-person-groups/"
POINTER_PATH = "dynamic-person-groups-latest.json"


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """Place one gzip member of ``groups.ndjson.gz``: bytes from ``offset`` on, and the groups in it."""

    offset: int
    length: int
    count: int
    first_id: str
    last_id: str


class GroupsBlob(msgspec.Struct, frozen=True, rename="camel"):
    """Describe ``groups.ndjson.gz``; ``size`` in bytes, ``sha256`` in lower-case hex."""

    name: str
    count: int
    size: int
    sha256: str
    parts: tuple[Part, ...]


class ChangesBlob(msgspec.Struct, frozen=True, rename="camel"):
    """Describe ``changes.ndjson.gz`` and count the changes in it."""

    name: str
    added: int
    removed: int
    changed: int
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """Describe a whole snapshot; times in UTC.

    ``previous`` is the ID of the snapshot that ``changes`` starts from; both are ``None`` in the first one.
    ``calls`` counts the calls to the service, ``throttled`` those that it answered with 429.
    """

    format_version: int
    snapshot_id: str
    started_at: str
    finished_at: str
    source: str
    api_version: str
    includes_user_data: bool
    previous: str | None
    calls: int
    throttled: int
    groups: GroupsBlob
    changes: ChangesBlob | None

    @property
    def path(self) -> str:
        """Return the snapshot's directory in the container."""
        return snapshot_path(self.snapshot_id)


class Pointer(msgspec.Struct, frozen=True, rename="camel"):
    """Name the newest complete snapshot."""

    snapshot_id: str
    path: str
    manifest: Manifest


def new_snapshot_id(started: datetime) -> str:
    """Return the ID of a snapshot that is started now, such as ``20261120T030000Z``."""
    return started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def snapshot_time(snapshot_id: str) -> datetime:
    """Return the moment that a snapshot's ID names."""
    return datetime.strptime(snapshot_id, "%Y%m%dT%H%M%S%z")


def snapshot_path(snapshot_id: str) -> str:
    """Return a snapshot's directory, such as ``dynamic-person-groups/2026/11/20/20261120T030000Z``."""
    return f"{DIRECTORY}{snapshot_id[:4]}/{snapshot_id[4:6]}/{snapshot_id[6:8]}/{snapshot_id}"
