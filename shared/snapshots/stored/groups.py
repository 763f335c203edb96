"""Read a snapshot's stored groups once, in order, and hold them to what was written."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.listing.lines import id_of
from shared.snapshots.stored.gzip_members import Member, unpack
from shared.snapshots.stored.manifest import Part


class StoredGroups:
    """Iterate once over the IDs and lines of a blob that comes in ``chunks``; hold one part at a time.

    ``size`` in bytes and ``sha256`` in lower-case hex are those of the whole blob after the last group.
    """

    def __init__(self, chunks: Iterable[bytes], parts: Sequence[Part]) -> None:
        self._chunks = chunks
        self._parts = parts
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield the groups.

        Raises:
            CorruptSnapshot: where the blob is not the parts, one after the other, or not strictly ascending.
        """
        last_id, offset, members = "", 0, 0
        for member in unpack(self._hashed()):
            if not member.lines:
                continue
            ids = _ids(member)
            found = Part(offset, member.length, len(ids), ids[0], ids[-1])
            if members >= len(self._parts) or found != self._parts[members]:
                raise CorruptSnapshot(f"part {members} of the stored groups is not what was written")
            if any(one >= other for one, other in pairwise(chain([last_id], ids))):
                raise CorruptSnapshot(f"the stored groups are not in order in part {members}")
            yield from zip(ids, member.lines, strict=True)
            last_id, offset, members = ids[-1], offset + member.length, members + 1
        if members != len(self._parts):
            raise CorruptSnapshot(f"the stored groups have {members} parts; {len(self._parts)} were written")

    def _hashed(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._sha256.update(chunk)
            self.size += len(chunk)
            yield chunk


def _ids(member: Member) -> list[str]:
    try:
        return [id_of(line) for line in member.lines]
    except ValueError:
        raise CorruptSnapshot("a stored line is no dynamic person group") from None
