"""Lines as gzip members and back; a blob is a row of members, each readable alone."""

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from shared.snapshots.errors import CorruptSnapshot

MAX_MEMBER_BYTES = 66 * 1024 * 1024
"""The most text of one member: a page of the service has at most 64 MiB."""
MAX_MEMBER_LINES = 100_000
"""The most lines of one member: a page has at most 1,000, and few pages share one."""
_PIECE_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Member(msgspec.Struct, frozen=True):
    """One gzip member."""

    lines: list[bytes]  # without their line ends
    length: int  # compressed, in bytes


def pack(lines: Iterable[bytes]) -> bytes:
    """Return one gzip member of the lines; the same lines give the same bytes, since it bears no time."""
    return zlib.compress(b"".join(line + b"\n" for line in lines), wbits=_GZIP)


def unpack(chunks: Iterable[bytes]) -> Iterator[Member]:
    """Yield the members of a blob that comes in chunks of any size; hold one member at a time.

    Raises:
        CorruptSnapshot: where the bytes are not gzip members, end amid one or amid a line, or hold too much text or too
            many lines.
    """
    inflater, text, length, lines = zlib.decompressobj(_GZIP), bytearray(), 0, 0
    for chunk in chunks:
        rest = chunk
        while rest:
            for piece in _inflate(inflater, rest):
                text += piece
                lines += piece.count(b"\n")
                _check(len(text), lines)
            length += len(rest) - len(inflater.unused_data)
            rest = inflater.unused_data
            if inflater.eof:
                yield Member(_lines(text), length)
                inflater, text, length, lines = zlib.decompressobj(_GZIP), bytearray(), 0, 0
    if length:
        raise CorruptSnapshot("a stored blob ends amid a gzip member")


def _inflate(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """Yield what the data holds in pieces, so that a member that is too long is given up early."""
    try:
        piece = inflater.decompress(data, _PIECE_BYTES)
        while piece:
            yield piece
            piece = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, _PIECE_BYTES)
    except zlib.error:
        raise CorruptSnapshot("a stored blob does not hold gzip members") from None


def _check(length: int, lines: int) -> None:
    if length > MAX_MEMBER_BYTES:
        raise CorruptSnapshot(f"a stored gzip member holds more than the expected {MAX_MEMBER_BYTES} bytes")
    if lines > MAX_MEMBER_LINES:
        raise CorruptSnapshot(f"a stored gzip member holds more than the expected {MAX_MEMBER_LINES} lines")


def _lines(text: bytearray) -> list[bytes]:
    if text and not text.endswith(b"\n"):
        raise CorruptSnapshot("a stored gzip member ends amid a line")
    return bytes(text).split(b"\n")[:-1]
