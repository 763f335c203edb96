"""What is fuzzed: each target reads one input, and raises where something is wrong with how it was read."""

import json
import math
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import FaceError
from shared.face.models import MAX_MESSAGE_CHARS, MAX_WORD_CHARS, GroupKind, decode_training
from shared.face.page import ListedKind, decode_page
from shared.face.responses import error_from_response
from shared.face.timestamps import parse_instant
from shared.settings import SettingsError, load_settings
from shared.training.messages import Encoding, Rejection, parse_body

_TOP = 5
_KINDS = list(ListedKind)
_client = FaceClient(
    "http://127.0.0.1:1",
    KeyCredential("a-key"),
    ApiVersions(training="v1.2", directory="v1.2-preview.1"),
    timeouts=Timeouts(connect=2, read=2, call=2),
)


def training(data: bytes) -> None:
    """Read the body of a training status."""
    with suppress(ValueError, RecursionError):
        status = decode_training(data)
        assert len(status.message or "") <= MAX_MESSAGE_CHARS
        assert len(status.status) <= MAX_WORD_CHARS
        assert not (status.succeeded and status.failed)
        _ = status.created, status.ended_at, status.documented_status


def page(data: bytes) -> None:
    """Read a page of groups, of the kind that the first byte chooses."""
    kind = _KINDS[data[0] % len(_KINDS)] if data else _KINDS[0]
    with suppress(ValueError, RecursionError):
        groups = decode_page(data[1:], kind, _TOP)
        assert len(groups) <= _TOP
        for group in groups:
            assert group.group_id
            if group.unreadable is None:
                _check_line(group.body, kind.id_field, group.group_id)


def error(data: bytes) -> None:
    """Read an error response: its status in a line, its headers a line each, an empty line, its body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    status = int(first) if first.isascii() and first.isdecimal() and len(first) == 3 else 500
    pairs = [line.partition(": ") for line in lines]
    found = error_from_response(status, {name: value for name, _, value in pairs}, body)
    assert found.wait is None or (found.wait >= 0 and math.isfinite(found.wait))
    assert len(str(found)) < 100
    assert len(found.message or "") <= MAX_MESSAGE_CHARS


def response(data: bytes) -> None:
    """Read all that a server sends, as the client of a training status does."""
    ours, theirs = socket.socketpair()
    with theirs, patch("urllib3.util.connection.create_connection", lambda *_, **__: ours):
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        with suppress(FaceError):
            _client.training(GroupKind.PERSON_GROUP, "a-group")


def timestamp(data: bytes) -> None:
    """Read an RFC 3339 timestamp."""
    with suppress(ValueError):
        instant = parse_instant(data.decode())
        assert instant == parse_instant(data.decode().upper())


def request(data: bytes) -> None:
    """Read the body of a queue message."""
    for encoding in Encoding:
        read = parse_body(data, GroupKind.LARGE_PERSON_GROUP, encoding)
        assert isinstance(read, Rejection) or len(read.group.group_id) <= 64


def settings(data: bytes) -> None:
    """Read an environment, a setting a line."""
    pairs = [line.partition("=") for line in data.decode("latin-1").split("\n")]
    with suppress(SettingsError):
        loaded = load_settings({name: value for name, _, value in pairs})
        assert loaded.watch.min_delay <= loaded.watch.max_delay
        assert loaded.face_endpoint.startswith("https://") or loaded.face_key


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (training, page, error, response, timestamp, request, settings)
}


def _check_line(line: bytes, id_field: str, group_id: str) -> None:
    assert b"\n" not in line
    group: dict[str, Any] = json.loads(line)
    assert group[id_field] == group_id
