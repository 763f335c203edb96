"""Write the changes between two snapshots as they are found."""

import hashlib
import uuid

from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from shared.snapshots.stored.gzip_members import pack

_MEMBER_BYTES = 1024 * 1024


class ChangesWriter:
    """Gather lines into gzip members of about 1 MiB of text, stage each as a block, and commit them at the end."""

    def __init__(self, blob: BlobClient) -> None:
        self._blob = blob
        self._lines: list[bytes] = []
        self._waiting = 0
        self._blocks: list[BlobBlock] = []
        self._sha256 = hashlib.sha256()
        self._size = 0

    def write(self, line: bytes) -> None:
        """Add one line."""
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting >= _MEMBER_BYTES:
            self._stage()

    def commit(self) -> tuple[int, str]:
        """Make the lines visible, in place of what a died run may have left; return size in bytes and SHA-256."""
        if self._lines or not self._blocks:
            self._stage()
        self._blob.commit_block_list(self._blocks, content_settings=ContentSettings(content_type="application/gzip"))
        return self._size, self._sha256.hexdigest()

    def _stage(self) -> None:
        member = pack(self._lines)
        block = BlobBlock(uuid.uuid4().hex)
        self._blob.stage_block(block.id, member, len(member))
        self._blocks.append(block)
        self._sha256.update(member)
        self._size += len(member)
        self._lines, self._waiting = [], 0
