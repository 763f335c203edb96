"""Few bytes that become many."""

import gzip
import zlib
from functools import cache

_BEGIN = gzip.compress(b"", mtime=0)[:10]
_MIB = 1_048_576


@cache
def bomb(piece: bytes, size: int) -> bytes:
    """Return the beginning of a gzip member of ``size`` MiB of a piece, again and again; it lacks the checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(piece * (_MIB // len(piece))) + packer.flush(zlib.Z_FULL_FLUSH)
    return _BEGIN + block * size
