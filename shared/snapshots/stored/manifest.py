"""The description of a copy: its manifest, and the pointer to the newest one."""

from datetime import datetime
from itertools import pairwise

import msgspec

from shared.face.page import ListedKind
from shared.snapshots.stored.layout import FORMAT_VERSION, Layout, check_past

MAX_PARTS = 40_000
"""The most parts of a blob; a block blob holds 50,000 blocks (Put Block List, REST reference)."""
MAX_MANIFEST_BYTES = 32 * 1024 * 1024
"""Twice what 40,000 parts with IDs of 64 characters take."""


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """One gzip member of a data blob."""

    offset: int  # bytes before it
    length: int  # bytes
    count: int  # lines
    after: str  # the ID that its first line follows without a gap
    first_id: str
    last_id: str


class DataBlob(msgspec.Struct, frozen=True, rename="camel"):
    """The blob of a copy's groups or members."""

    path: str
    count: int  # lines
    size: int  # bytes
    sha256: str  # lower-case hex
    parts: tuple[Part, ...]


class ChangesBlob(msgspec.Struct, frozen=True, rename="camel"):
    """The blob of the changes since the previous snapshot, and their counts."""

    path: str
    added: int
    removed: int
    changed: int
    size: int  # bytes
    sha256: str  # lower-case hex


class Unreadable(msgspec.Struct, frozen=True, rename="camel"):
    """A group that the service listed in a form that no line can hold."""

    group_id: str
    reason: str


class Manifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The description of a whole snapshot; times in UTC."""

    format_version: int = FORMAT_VERSION
    kind: ListedKind
    snapshot_id: str
    started_at: str
    finished_at: str
    source: str  # the Face resource's endpoint
    api_version: str
    includes_user_data: bool
    previous: str | None  # the snapshot that the changes start from
    calls: int  # to the service
    throttled: int  # calls that it responded to with 429
    groups: DataBlob
    changes: ChangesBlob | None  # None in the first snapshot of a source
    unreadable: tuple[Unreadable, ...] | msgspec.UnsetType = msgspec.UNSET  # groups that are not in the copy

    @property
    def data(self) -> DataBlob:
        """Return the blob that holds the copy."""
        return self.groups

    @property
    def layout(self) -> Layout:
        """Return where the snapshot's blobs lie."""
        return Layout(self.kind, "groups")


class MembersManifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The description of a whole copy of groups' members; times in UTC."""

    format_version: int = FORMAT_VERSION
    kind: ListedKind
    snapshot_id: str
    groups_snapshot: str  # the groups' snapshot whose groups it holds
    started_at: str
    finished_at: str
    source: str  # the Face resource's endpoint
    api_version: str
    previous: str | None  # the copy that lines were taken over from
    calls: int  # to the service
    throttled: int  # calls that it responded to with 429
    listed: int  # groups whose members were listed for this copy; the other lines are the previous copy's
    persons: int  # memberships in all
    members: DataBlob

    @property
    def data(self) -> DataBlob:
        """Return the blob that holds the copy."""
        return self.members

    @property
    def layout(self) -> Layout:
        """Return where the copy's blobs lie."""
        return Layout(self.kind, "members")


type AnyManifest = Manifest | MembersManifest


class Pointer[M](msgspec.Struct, frozen=True, rename="camel"):
    """The name of the newest complete copy."""

    snapshot_id: str
    manifest: M


def check_manifest(manifest: AnyManifest, layout: Layout) -> None:
    """Hold a manifest that was read to what the app writes.

    Raises:
        ValueError: where it names other blobs than its own, or its parts or times cannot be.
    """
    data = manifest.data
    check_past(manifest.snapshot_id)
    datetime.fromisoformat(manifest.started_at)
    datetime.fromisoformat(manifest.finished_at)
    if manifest.previous is not None:
        check_past(manifest.previous)
    if isinstance(manifest, MembersManifest):
        check_past(manifest.groups_snapshot)
    if manifest.format_version != FORMAT_VERSION or manifest.layout != layout:
        raise ValueError(f"expected format version {FORMAT_VERSION} and the kind {layout.kind}")
    if data.path != layout.data_path(manifest.snapshot_id):
        raise ValueError("the manifest names a blob that is not its own")
    if len(data.parts) > MAX_PARTS or sum(part.count for part in data.parts) != data.count:
        raise ValueError("the parts do not add up to the count")
    if any(
        left.offset + left.length != right.offset or left.last_id != right.after for left, right in pairwise(data.parts)
    ):
        raise ValueError("the parts do not follow each other")
    if data.parts and data.parts[-1].offset + data.parts[-1].length != data.size:
        raise ValueError("the parts do not add up to the size")
