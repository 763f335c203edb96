"""The writer of the changes between two snapshots, as they are found."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable

import msgspec
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from shared.snapshots.changes import Change
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.manifest import ChangesBlob

_MEMBER_BYTES = 1024 * 1024
_encoder = msgspec.json.Encoder()


class ChangesWriter:
    """A writer of gzip members of about 1 MiB of text, each staged as a block and all committed at the end."""

    def __init__(self, blob: BlobClient, metadata: dict[str, str]) -> None:
        self._blob = blob
        self._metadata = metadata
        self._lines: list[bytes] = []
        self._waiting = 0
        self._blocks: list[BlobBlock] = []
        self._sha256 = hashlib.sha256()
        self._size = 0

    def write(self, changes: Iterable[Change]) -> ChangesBlob:
        """Write each change as a line of JSON, in place of what a dead run may have left, and describe the blob."""
        counts: Counter[str] = Counter()
        for change in changes:
            self._add(_encoder.encode(change))
            counts[change.change] += 1
        if self._lines or not self._blocks:
            self._stage()
        settings = ContentSettings(content_type="application/gzip")
        self._blob.commit_block_list(self._blocks, content_settings=settings, metadata=self._metadata)
        return ChangesBlob(
            path=self._blob.blob_name,
            added=counts["added"],
            removed=counts["removed"],
            changed=counts["changed"],
            size=self._size,
            sha256=self._sha256.hexdigest(),
        )

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting >= _MEMBER_BYTES:
            self._stage()

    def _stage(self) -> None:
        member = pack(self._lines)
        block = BlobBlock(uuid.uuid4().hex)
        self._blob.stage_block(block.id, member, len(member))
        self._blocks.append(block)
        self._sha256.update(member)
        self._size += len(member)
        self._lines, self._waiting = [], 0
