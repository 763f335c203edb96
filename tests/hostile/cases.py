"""What a hostile Face service responds, and the errors that are right for it."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from tests.hostile.bombs import bomb
from tests.support.scripted_server import Response

SECRET = "name-that-nobody-may-read"
MIB = 1_048_576

LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = LINE + b"Content-Encoding: gzip\r\n\r\n"
TRAINING = b'{"status":"running"}'


@dataclass(frozen=True)
class Endless:
    """A beginning, and then one piece again and again."""

    begin: bytes
    piece: bytes

    def __iter__(self) -> Iterator[bytes]:
        return chain([self.begin], repeat(self.piece))


@dataclass(frozen=True)
class Filled:
    """A body of about ``size`` bytes: a beginning, one piece again and again, and an end."""

    begin: bytes
    piece: bytes
    end: bytes
    size: int

    def __iter__(self) -> Iterator[bytes]:
        count = self.size // len(self.piece)
        at_once = max(1, 65_536 // len(self.piece))
        yield LINE + b"Content-Length: %d\r\n\r\n" % (len(self.begin + self.end) + count * len(self.piece))
        yield self.begin
        for first in range(0, count, at_once):
            yield self.piece * min(at_once, count - first)
        yield self.end


@dataclass(frozen=True)
class Case:
    """A response, and which errors it may become; ``None`` among them: it may also be understood."""

    name: str
    response: Response
    errors: tuple[str | None, ...]
    operations: tuple[str, ...] = ("training", "groups")
    seconds: float = 10.0  # the call's deadline


def drip(name: str, head: bytes, piece: bytes) -> Case:
    """Return a case of a response whose pieces come one by one, without end."""
    return Case(f"{name} drips", Response(Endless(head, piece), pause=0.05), ("Unreachable",), seconds=1.0)


def flood(name: str, head: bytes, piece: bytes, *errors: str | None) -> Case:
    """Return a case of a response that comes as fast as it is read, without end."""
    return Case(f"{name} without end", Response(Endless(head, piece)), (*errors, "Unreachable"))


def whole(name: str, head: bytes, body: bytes, *errors: str | None) -> Case:
    """Return a case of a response that ends."""
    return Case(name, Response([head, body]), errors)


def body(name: str, content: bytes) -> Case:
    """Return a case of a body that is not what the service documents."""
    head = LINE + b"Content-Length: %d\r\n\r\n" % len(content)
    return Case(name, Response([head, content], keep=True), ("InvalidResponse",))


_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # of deflate, stored
_GZIP_HEAD = gzip.compress(b"")[:10]

DRIPS = [
    drip("status line", b"HTTP/1.1 200 ", b"x"),
    drip("header name", LINE, b"x"),
    drip("header value", LINE + b"x: ", b"y"),
    drip("headers", LINE, b"x: y\r\n"),
    drip("100-continues", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    drip("chunk size", CHUNKED, b"0"),
    drip("chunk extension", CHUNKED + b"5;", b"x"),
    drip("chunks", CHUNKED, b"1\r\n \r\n"),
    drip("trailers", CHUNKED + b"0\r\n", b"x: y\r\n"),
    drip("body", LINE + b"\r\n", b" "),
    drip("error's body", b"HTTP/1.1 503 No\r\n\r\n", b" "),
    drip("redirect's body", b"HTTP/1.1 302 No\r\nLocation: /\r\n\r\n", b" "),
    drip("empty compressed blocks", GZIP + _GZIP_HEAD, _EMPTY_BLOCK),
    Case("nothing", Response([b"", b""], pause=60), ("Unreachable",), seconds=1.0),
]
FLOODS = [
    flood("status line", b"HTTP/1.1 200 ", b"x" * 65_536, "Unreachable"),
    flood("header", LINE + b"x: ", b"y" * 65_536, "Unreachable"),
    flood("headers", LINE, b"x: y\r\n" * 10_000, "Unreachable"),
    flood("100-continues", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000, "InvalidResponse"),
    flood("chunk size", CHUNKED, b"0" * 65_536, "Unreachable"),
    flood("chunks of one byte", CHUNKED, b"1\r\n \r\n" * 10_000, "InvalidResponse"),
    flood("trailers", CHUNKED + b"0\r\n", b"x: y\r\n" * 10_000, "InvalidResponse"),
    flood("body", LINE + b"\r\n", b" " * 65_536, "InvalidResponse"),
    flood("body of a wrong length", LINE + b"Content-Length: 99999999999\r\n\r\n", b" " * 65_536, "InvalidResponse"),
    flood("error's body", b"HTTP/1.1 503 No\r\n\r\n", b" " * 65_536, "InvalidResponse"),
    flood("empty compressed blocks", GZIP + _GZIP_HEAD, _EMPTY_BLOCK * 10_000, "InvalidResponse"),
]
COMPRESSED = [
    whole("bomb", GZIP, bomb(b" ", 1024), "InvalidResponse"),
    whole("bomb of white space before the end", GZIP, bomb(b" ", 64), "InvalidResponse"),
    whole("compressed twice", LINE + b"Content-Encoding: gzip, gzip\r\n\r\n", bomb(b" ", 1), "InvalidResponse"),
    whole("compressed by others", LINE + b"Content-Encoding: zstd\r\n\r\n", TRAINING, "InvalidResponse"),
    whole("not compressed", GZIP, TRAINING, "InvalidResponse"),
    whole("cut compression", GZIP, gzip.compress(TRAINING)[:-4], "InvalidResponse"),
    whole("wrong checksum", GZIP, gzip.compress(TRAINING)[:-8] + b"\0" * 8, "InvalidResponse"),
    whole("many members", GZIP, gzip.compress(b"") * 100_000, "InvalidResponse"),
]


_ID = b'"dynamicPersonGroupId":"a"'
_FILLINGS = {
    "nested lists": (b"", b"[", b""),
    "nested objects": (b"", b'{"status":', b""),
    "empty lists": (b"[[]", b",[]", b"]"),
    "empty objects": (b"[{}", b",{}", b"]"),
    "numbers": (b"[1", b",1", b"]"),
    "one number": (b"", b"9", b""),
    "a status that is a number": (b'{"status":', b"9", b"}"),
    "one text": (b'"', b"x", b'"'),
    "a status of backslashes": (b'{"status":"', b"\\", b""),
    "keys": (b'[{"a":1', b',"a":1', b"}]"),
    "groups": (b"[{" + _ID + b"}", b",{" + _ID + b"}", b"]"),
    "half pairs": (b"[{" + _ID + b',"x":"', b"\\ud800", b'"}]'),
    "lists in one group": (b"[{" + _ID + b',"x":"\\ud800","y":[', b"[],", b"1]}]"),
}
_FINE_WHERE_SHORT = ("groups", "half pairs", "lists in one group")


def fillings(size: int) -> Iterator[Case]:
    """Return bodies of about ``size`` bytes that are hard to read, or quick to fill the memory."""
    for name, (begin, piece, end) in _FILLINGS.items():
        errors = ("InvalidResponse", None) if size < MIB and name in _FINE_WHERE_SHORT else ("InvalidResponse",)
        yield Case(f"{name}, {size} bytes", Response(Filled(begin, piece, end, size), keep=True), errors)


_VALUES = (b"null", b"true", b"-1", b"1e999", b"[]", b"{}", b'"\\ud800"', b'"\xff"', b'["' + SECRET.encode() + b'"]')
SCHEMAS = [
    *(body(f"a status that is {value!r}", b'{"status":%s}' % value) for value in _VALUES),
    *(body(f"a time that is {value!r}", b'{"status":"x","createdDateTime":%s}' % value) for value in _VALUES[1:]),
    *(body(f"an ID that is {value!r}", b'[{"dynamicPersonGroupId":%s}]' % value) for value in _VALUES),
    body("an ID of another length", b'[{"dynamicPersonGroupId":"%s"}]' % (b"a" * 65)),
    body("a text", b'"%s"' % SECRET.encode()),
    body("a page of HTML", b"<html><title>%s</title></html>" % SECRET.encode()),
    body("an error with 200", b'{"error":{"code":"%s","message":"%s"}}' % (SECRET.encode(), SECRET.encode())),
]
_ERROR = b'{"error":{"code":"X","message":"%s","innererror":{"code":"%s"}}}' % (SECRET.encode(), SECRET.encode())


_ALL = ("training", "start_training", "groups")


def _error(status: bytes, headers: bytes, content: bytes, *errors: str | None) -> Case:
    head = b"HTTP/1.1 %s %s\r\n%sConnection: close\r\n\r\n" % (status, SECRET.encode(), headers)
    return Case(f"{status!r} {headers[:40]!r}", Response([head, content]), errors, _ALL)


HEADERS = [
    _error(b"404", b"x-ms-error-code: %s\r\n" % SECRET.encode(), _ERROR, "UndocumentedNotFound"),
    _error(b"401", b"WWW-Authenticate: Basic realm=%s\r\n" % SECRET.encode(), _ERROR, "Unauthorized"),
    _error(b"429", b"Retry-After: %s\r\n" % SECRET.encode(), _ERROR, "Throttled"),
    _error(b"429", b"Retry-After: " + b"9" * 60_000 + b"\r\n", _ERROR, "Throttled"),
    _error(b"503", b"Date: " + b"9 " * 30_000 + b"\r\n", _ERROR, "ServerFault"),
    _error(b"302", b"Location: http://%s\r\n" % SECRET.encode(), _ERROR, "InvalidResponse"),
    _error(b"407", b"Proxy-Authenticate: Negotiate\r\n", _ERROR, "BadRequest"),
    _error(b"000", b"", _ERROR, "Unreachable"),
    _error(b"1000", b"", _ERROR, "Unreachable"),
    _error(b"-200", b"", _ERROR, "Unreachable"),
    _error(b"500", b"\x00\xff: \x00\xff\r\n", _ERROR, "ServerFault", "Unreachable"),
    _error(b"500", b"Content-Type: text/html; charset=\xff\r\n", _ERROR, "ServerFault"),
    _error(b"500", b"%s\r\n" % SECRET.encode(), _ERROR, "ServerFault"),
    _error(b"500", b" %s: folded\r\n" % SECRET.encode(), _ERROR, "ServerFault"),
    _error(b"500", b"Content-Length: -1\r\n", _ERROR, "ServerFault", "Unreachable"),
    _error(
        b"500", b"Content-Length: 9\r\nContent-Length: 8\r\n", _ERROR, "ServerFault", "InvalidResponse", "Unreachable"
    ),
    _error(b"500", b"Transfer-Encoding: %s\r\n" % SECRET.encode(), _ERROR, "ServerFault", "Unreachable"),
    _error(
        b"500",
        b"".join(b"Set-Cookie: %d=%s\r\n" % (n, b"x" * 60_000) for n in range(90)),
        _ERROR,
        "ServerFault",
        "InvalidResponse",
    ),
    _error(b"500", b"Set-Cookie: a=" + b"; b=" * 15_000 + b"\r\n", _ERROR, "ServerFault"),
]
CASES = [*DRIPS, *FLOODS, *COMPRESSED, *fillings(1_000), *fillings(63 * MIB), *SCHEMAS, *HEADERS]
