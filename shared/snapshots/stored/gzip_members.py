"""Turn lines into gzip members and back; a blob is a row of members, each readable alone."""

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from shared.snapshots.errors import CorruptSnapshot

_GZIP = 16 + zlib.MAX_WBITS


class Member(msgspec.Struct, frozen=True):
    """Hold one gzip member's lines, without their line ends, and its compressed length in bytes."""

    lines: list[bytes]
    length: int


def pack(lines: Iterable[bytes]) -> bytes:
    """Return one gzip member of the lines; the same lines give the same bytes, since it bears no time."""
    return zlib.compress(b"".join(line + b"\n" for line in lines), wbits=_GZIP)


def unpack(chunks: Iterable[bytes]) -> Iterator[Member]:
    """Yield the members of a blob that comes in chunks of any size; hold one member at a time.

    Raises:
        CorruptSnapshot: where the bytes are no gzip members, or end amid one or amid a line.
    """
    decompressor, text, length = zlib.decompressobj(_GZIP), bytearray(), 0
    for chunk in chunks:
        rest = chunk
        while rest:
            try:
                text += decompressor.decompress(rest)
            except zlib.error:
                raise CorruptSnapshot("a stored blob does not hold gzip members") from None
            length += len(rest) - len(decompressor.unused_data)
            rest = decompressor.unused_data
            if decompressor.eof:
                yield Member(_lines(bytes(text)), length)
                decompressor, text, length = zlib.decompressobj(_GZIP), bytearray(), 0
    if length:
        raise CorruptSnapshot("a stored blob ends amid a gzip member")


def _lines(text: bytes) -> list[bytes]:
    if text and not text.endswith(b"\n"):
        raise CorruptSnapshot("a stored gzip member ends amid a line")
    return text[:-1].split(b"\n") if text else []
