"""A copy's stored lines, read once, in order, and held to what was written."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise

from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.stored.gzip_members import Member, unpack
from shared.snapshots.stored.manifest import Part

type ReadId = Callable[[bytes], str]
"""Returns the ID of a line; raises ``ValueError`` where the line is not what it should be."""


class StoredLines:
    """The IDs and lines of a blob that comes in ``chunks``, to be iterated over once; holds one part at a time."""

    def __init__(self, chunks: Iterable[bytes], parts: Sequence[Part], read_id: ReadId) -> None:
        self._chunks = chunks
        self._parts = parts
        self._read_id = read_id
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the checksum, in lower-case hex, of what has been read: after the last line, of the whole blob."""
        return self._sha256.hexdigest()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield the lines, each with its ID.

        Raises:
            CorruptSnapshot: where the blob is not the parts, one after the other, or not strictly ascending.
        """
        last_id, offset, number = "", 0, 0
        for member in unpack(self._hashed()):
            if not member.lines:
                continue
            ids = self._ids(member)
            if number >= len(self._parts) or not _is_part(self._parts[number], offset, member, ids):
                raise CorruptSnapshot(f"part {number} of the stored lines is not what was written")
            if any(one >= other for one, other in pairwise(chain([last_id], ids))):
                raise CorruptSnapshot(f"the stored lines are not in order in part {number}")
            yield from zip(ids, member.lines, strict=True)
            last_id, offset, number = ids[-1], offset + member.length, number + 1
        if number != len(self._parts):
            raise CorruptSnapshot(f"the stored lines have {number} parts; expected {len(self._parts)}")

    def _hashed(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._sha256.update(chunk)
            self.size += len(chunk)
            yield chunk

    def _ids(self, member: Member) -> list[str]:
        try:
            return [self._read_id(line) for line in member.lines]
        except ValueError:
            raise CorruptSnapshot("a stored line does not hold the ID that it should") from None


def _is_part(part: Part, offset: int, member: Member, ids: Sequence[str]) -> bool:
    expected = (part.offset, part.length, part.count, part.first_id, part.last_id)
    return expected == (offset, member.length, len(ids), ids[0], ids[-1])
