"""The blobs that hold a copy's data: staged in blocks, committed once, read in pieces."""

from collections.abc import Iterator

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlobProperties, BlobType, ContainerClient, ContentSettings

from shared.snapshots.errors import AlreadyPublished
from shared.snapshots.stored.changes_writer import ChangesWriter
from shared.snapshots.stored.layout import Layout

READ_BYTES = 256 * 1024
GZIP = ContentSettings(content_type="application/gzip")
RUN_METADATA = "run"
"""The metadata entry that marks a blob as committed by one run."""


class Blocks(msgspec.Struct, frozen=True):
    """A blob's blocks."""

    committed: list[str]  # IDs, in order
    staged: dict[str, int]  # ID -> bytes


NO_BLOCKS = Blocks([], {})


class Archive:
    """The data blobs of one kind's copies in their container, which threads may share.

    Every method raises ``AzureError`` where the storage cannot be reached or refuses.
    """

    def __init__(self, container: ContainerClient, layout: Layout) -> None:
        self.container = container
        self.layout = layout

    def stage(self, snapshot_id: str, block_id: str, member: bytes) -> None:
        """Upload a block of a copy's data; nobody sees it before the commit."""
        self._data_blob(snapshot_id).stage_block(block_id, member, len(member))

    def commit(self, snapshot_id: str, block_ids: list[str], run_id: str) -> None:
        """Make the staged blocks, in this order, the copy's data; it can be committed once only.

        Raises:
            AlreadyPublished: where others than these blocks have been committed.
        """
        try:
            self._data_blob(snapshot_id).commit_block_list(
                [BlobBlock(block_id) for block_id in block_ids],
                content_settings=GZIP,
                metadata={RUN_METADATA: run_id},
                match_condition=MatchConditions.IfMissing,
            )
        except (ResourceExistsError, ResourceModifiedError):
            # The commit may have been our own, its response lost: the blocks' random IDs tell.
            if self.blocks(snapshot_id).committed != block_ids:
                raise AlreadyPublished("the copy's data was committed by another run") from None

    def blocks(self, snapshot_id: str) -> Blocks:
        """Return which blocks of a copy's data there are; none where the blob is not a block blob."""
        try:
            committed, staged = self._data_blob(snapshot_id).get_block_list("all")
        except ResourceNotFoundError:
            return NO_BLOCKS
        except HttpResponseError as error:
            if error_code(error) == "InvalidBlobType":
                return NO_BLOCKS
            raise
        return Blocks([block.id for block in committed], {block.id: block.size for block in staged})

    def exists(self, snapshot_id: str) -> bool:
        """Tell whether any blob lies where the copy's data would."""
        return bool(self._data_blob(snapshot_id).exists())

    def read(self, snapshot_id: str) -> Iterator[bytes]:
        """Yield the bytes of a copy's data, 256 KiB at a time; a blob that changes meanwhile raises."""
        return _read(self._data_blob(snapshot_id))

    def read_changes(self, snapshot_id: str) -> Iterator[bytes]:
        """Yield the bytes of a copy's changes, 256 KiB at a time; a blob that changes meanwhile raises."""
        return _read(self._changes_blob(snapshot_id))

    def read_range(self, snapshot_id: str, offset: int, length: int) -> bytes:
        """Return some bytes of a copy's data."""
        return self._data_blob(snapshot_id).download_blob(offset, length).readall()

    def size(self, snapshot_id: str) -> int | None:
        """Return the size in bytes of a copy's data, ``None`` where there is none."""
        try:
            return int(self._data_blob(snapshot_id).get_blob_properties().size)
        except ResourceNotFoundError:
            return None

    def changes_writer(self, snapshot_id: str, run_id: str) -> ChangesWriter:
        """Return a writer of the copy's changes."""
        return ChangesWriter(self._changes_blob(snapshot_id), {RUN_METADATA: run_id})

    def delete_own(self, snapshot_id: str, run_id: str) -> None:
        """Delete what a run has stored under an ID, and only what bears that run's mark."""
        data = self._data_blob(snapshot_id)
        if self.blocks(snapshot_id).staged and not data.exists():
            # Staged blocks are not a blob that could be deleted; an empty list of blocks discards them.
            data.commit_block_list([], metadata={RUN_METADATA: run_id}, match_condition=MatchConditions.IfMissing)
        for blob in (data, self._changes_blob(snapshot_id)):
            properties = _properties(blob)
            if properties and is_own(properties, run_id):
                blob.delete_blob(etag=properties.etag, match_condition=MatchConditions.IfNotModified)

    def _data_blob(self, snapshot_id: str) -> BlobClient:
        return self.container.get_blob_client(self.layout.data_path(snapshot_id))

    def _changes_blob(self, snapshot_id: str) -> BlobClient:
        return self.container.get_blob_client(self.layout.changes_path(snapshot_id))


def error_code(error: HttpResponseError) -> str | None:
    """Return the storage's own name for an error, such as ``BlobArchived``."""
    code: str | None = getattr(error, "error_code", None)
    return code


def is_own(properties: BlobProperties, run_id: str) -> bool:
    """Tell whether a blob was committed by this run."""
    return properties.blob_type == BlobType.BLOCKBLOB and (properties.metadata or {}).get(RUN_METADATA) == run_id


def _properties(blob: BlobClient) -> BlobProperties | None:
    try:
        return blob.get_blob_properties()
    except ResourceNotFoundError:
        return None


def _read(blob: BlobClient) -> Iterator[bytes]:
    properties = blob.get_blob_properties()
    for offset in range(0, properties.size, READ_BYTES):
        yield blob.download_blob(
            offset,
            min(READ_BYTES, properties.size - offset),
            etag=properties.etag,
            match_condition=MatchConditions.IfNotModified,
        ).readall()
