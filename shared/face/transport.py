"""HTTP within bounds: each call ends by its deadline, whatever the other side sends, and keeps a bounded body.

``requests`` and ``urllib3`` bound the time between two reads, not their sum
(https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html#urllib3.util.Timeout), and no length at all. So
every byte of a response (status line, headers, ``100 Continue``, chunk sizes, trailers, body) is read through
``_BoundedReader``, and the body is inflated here.
"""

import io
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from shared.face.errors import InvalidResponse, NoConnection, Unreachable

_MAX_OVERHEAD_BYTES = 1_048_576
"""The most that may come besides the body: headers, and the sizes of chunks."""
_READ_BYTES = 65_536
# Of no use to the app: a cookie would be sent back, and the target of a redirect is not even to be parsed.
_DROPPED_HEADERS = ("Set-Cookie", "Set-Cookie2", "Location")


class Limits(msgspec.Struct, frozen=True):
    """What one call may take."""

    deadline: float  # on the monotonic clock
    read: float  # seconds between two pieces of the response
    body: int  # bytes of the body, inflated or not

    def left(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            Unreachable: there are none.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Unreachable("the Face service gave no whole response in time")
        return left

    def check(self, length: int) -> None:
        """Hold the body's length to the limit.

        Raises:
            InvalidResponse: it is longer.
        """
        if length > self.body:
            raise InvalidResponse(f"the Face service's response is too long; expected at most {self.body} bytes")


_limits: ContextVar[Limits] = ContextVar("limits of the call that this thread makes")


@contextmanager
def within(limits: Limits) -> Iterator[None]:
    """Hold the calls of this thread to some limits."""
    token = _limits.set(limits)
    try:
        yield
    finally:
        _limits.reset(token)


class BoundedAdapter(HTTPAdapter):
    """An adapter for a session whose calls are made within limits."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Make the pools of connections by a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def read_body(response: requests.Response) -> bytes:
    """Return the body of a response, inflated.

    Raises:
        Unreachable: it did not come whole, or not in time.
        InvalidResponse: it is too long, or not encoded as it says.
    """
    limits = _limits.get()
    raw = bytearray()
    while part := response.raw.read1(_READ_BYTES, decode_content=False):
        raw += part
        limits.check(len(raw))
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return bytes(raw)
    if encoding not in ("gzip", "deflate"):
        raise InvalidResponse("the Face service's response has an encoding that was not asked for")
    return _inflated(raw, limits)


def _inflated(raw: bytearray, limits: Limits) -> bytes:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # takes both gzip and zlib
    try:
        body = inflater.decompress(raw, limits.body + 1)
    except zlib.error:
        raise InvalidResponse("the Face service's response is not encoded as it says") from None
    limits.check(len(body))
    if not inflater.eof or inflater.unused_data:
        raise InvalidResponse("the Face service's response is not encoded as it says")
    return body


class _BoundedReader(io.RawIOBase):
    """A socket's bytes, read within the limits of the call under way."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # A file keeps the socket open until it is closed itself.
        self._file = sock.makefile("rb", buffering=0)
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        limits = _limits.get()
        self._sock.settimeout(min(limits.left(), limits.read))
        try:
            received = self._file.readinto(buffer)
        except TimeoutError:
            raise Unreachable("the Face service gave no whole response in time") from None
        self._received += received or 0
        limits.check(self._received - _MAX_OVERHEAD_BYTES)
        return received

    def close(self) -> None:
        self._file.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock), _READ_BYTES)

    def begin(self) -> None:
        super().begin()
        for name in _DROPPED_HEADERS:
            del self.headers[name]


class _Bounded(HTTPConnection):
    response_class = _BoundedResponse

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            raise NoConnection(
                f"no connection to {self.host}:{self.port} ({type(error).__name__}); "
                "expected the Face resource there: check FACE_ENDPOINT and the network"
            ) from None
        # A call that changes something is not made late.
        _limits.get().left()


class _BoundedHTTPS(_Bounded, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Bounded


class _PoolHTTPS(urllib3.HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPS


_POOLS = {"http": _Pool, "https": _PoolHTTPS}
