"""Write and read the snapshots' blobs; each write that matters is done once or refused."""

from collections.abc import Iterator

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContainerClient, ContentSettings

from shared.snapshots.errors import AlreadyPublished
from shared.snapshots.stored.changes_writer import ChangesWriter
from shared.snapshots.stored.manifest import (
    CHANGES_NAME,
    DIRECTORY,
    GROUPS_NAME,
    MANIFEST_NAME,
    POINTER_PATH,
    Manifest,
    Pointer,
)

READ_BYTES = 256 * 1024
_GZIP = ContentSettings(content_type="application/gzip")
_JSON = ContentSettings(content_type="application/json")
_pointer = msgspec.json.Decoder(Pointer)
_manifest = msgspec.json.Decoder(Manifest)


class Published(msgspec.Struct, frozen=True):
    """Hold the pointer as it was read, with the ETag that a newer one must replace."""

    manifest: Manifest
    etag: str


class Blocks(msgspec.Struct, frozen=True):
    """Hold a blob's blocks: the IDs of those committed, in order, and the staged ones' sizes in bytes."""

    committed: list[str]
    staged: dict[str, int]


class SnapshotArchive:
    """Reach the snapshots in their container; may be shared by threads.

    Every method raises ``AzureError`` where the storage cannot be reached or refuses.
    """

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def published(self) -> Published | None:
        """Return the newest complete snapshot, ``None`` where there is none yet."""
        try:
            found = self._container.download_blob(POINTER_PATH)
        except ResourceNotFoundError:
            return None
        return Published(_pointer.decode(found.readall()).manifest, found.properties.etag)

    def stage(self, path: str, block_id: str, member: bytes) -> None:
        """Upload a block of a snapshot's groups; nobody sees it before the commit."""
        self._container.get_blob_client(f"{path}/{GROUPS_NAME}").stage_block(block_id, member, len(member))

    def commit_groups(self, path: str, block_ids: list[str]) -> None:
        """Make the staged blocks, in this order, the snapshot's groups; these can be committed once only.

        Raises:
            AlreadyPublished: where others than these blocks have been committed.
        """
        blob = self._container.get_blob_client(f"{path}/{GROUPS_NAME}")
        try:
            blob.commit_block_list(
                [BlobBlock(block_id) for block_id in block_ids],
                content_settings=_GZIP,
                match_condition=MatchConditions.IfMissing,
            )
        except (ResourceExistsError, ResourceModifiedError):
            # The commit may have been our own, its answer lost: the blocks' random IDs tell.
            if self.blocks(path).committed != block_ids:
                raise AlreadyPublished(f"{GROUPS_NAME} was committed by another run") from None

    def blocks(self, path: str) -> Blocks:
        """Return which blocks of a snapshot's groups there are."""
        blob = self._container.get_blob_client(f"{path}/{GROUPS_NAME}")
        try:
            committed, staged = blob.get_block_list("all")
        except ResourceNotFoundError:
            return Blocks([], {})
        return Blocks([block.id for block in committed], {block.id: block.size for block in staged})

    def read_groups(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a snapshot's committed groups, 256 KiB at a time; a blob that changes meanwhile raises."""
        blob = self._container.get_blob_client(f"{path}/{GROUPS_NAME}")
        properties = blob.get_blob_properties()
        for offset in range(0, properties.size, READ_BYTES):
            yield blob.download_blob(
                offset,
                min(READ_BYTES, properties.size - offset),
                etag=properties.etag,
                match_condition=MatchConditions.IfNotModified,
            ).readall()

    def changes_writer(self, path: str) -> ChangesWriter:
        """Return a writer of the snapshot's changes."""
        return ChangesWriter(self._container.get_blob_client(f"{path}/{CHANGES_NAME}"))

    def manifest(self, path: str) -> Manifest | None:
        """Return a snapshot's manifest, ``None`` where it has none yet."""
        try:
            return _manifest.decode(self._container.download_blob(f"{path}/{MANIFEST_NAME}").readall())
        except ResourceNotFoundError:
            return None

    def write_manifest(self, manifest: Manifest) -> Manifest:
        """Write a snapshot's manifest, and return the one that now stands: a manifest is never replaced."""
        try:
            self._container.upload_blob(
                f"{manifest.path}/{MANIFEST_NAME}", msgspec.json.encode(manifest), content_settings=_JSON
            )
        except ResourceExistsError:
            return self.manifest(manifest.path) or manifest
        return manifest

    def publish(self, manifest: Manifest, replaced: Published | None) -> None:
        """Let the pointer name this snapshot, if it still names what it named at the start.

        Raises:
            AlreadyPublished: where another run has moved it.
        """
        condition = (
            {"overwrite": True, "etag": replaced.etag, "match_condition": MatchConditions.IfNotModified}
            if replaced
            else {"overwrite": False}
        )
        pointer = msgspec.json.encode(Pointer(manifest.snapshot_id, manifest.path, manifest))
        try:
            self._container.upload_blob(POINTER_PATH, pointer, content_settings=_JSON, **condition)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            # The write may have been our own, its answer lost.
            now = self.published()
            if now is None or now.manifest != manifest:
                raise AlreadyPublished("another run has moved the pointer; this snapshot is not published") from None

    def discard_unfinished(self, keep: str) -> None:
        """Delete what died runs have left: the blobs of snapshots without a manifest, but for the one at ``keep``."""
        names = [
            blob.name for blob in self._container.list_blobs(name_starts_with=DIRECTORY, include=["uncommittedblobs"])
        ]
        finished = {name.removesuffix(f"/{MANIFEST_NAME}") for name in names if name.endswith(f"/{MANIFEST_NAME}")}
        for name in names:
            if name.rpartition("/")[0] not in finished | {keep}:
                unfinished = self._container.get_blob_client(name)
                # Staged blocks are no blob that could be deleted; an empty list of blocks discards them.
                unfinished.commit_block_list([])
                unfinished.delete_blob()
