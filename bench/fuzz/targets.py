"""What is fuzzed: each target reads one input, and raises where something is wrong with how it was read."""

import gzip
import json
import math
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest.mock import patch

import msgspec

from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import FaceError
from shared.face.models import MAX_MESSAGE_CHARS, MAX_WORD_CHARS, GroupKind, decode_training
from shared.face.page import ListedKind, decode_page
from shared.face.responses import error_from_response
from shared.face.timestamps import parse_instant
from shared.settings import SettingsError, load_settings
from shared.snapshots.changes import is_same
from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.listing.lines import group_id_reader, without_user_data
from shared.snapshots.listing.members import read_members
from shared.snapshots.stored.gzip_members import unpack
from shared.snapshots.stored.manifest import Manifest, MembersManifest, check_manifest
from shared.snapshots.stored.run import RunState
from shared.training import rows
from shared.training.messages import Encoding, Group, Rejection, parse_body

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


def row(data: bytes) -> None:
    """Read the properties of a row, a JSON object, as those of a watch and of a request."""
    with suppress(ValueError, RecursionError):
        properties = json.loads(data)
        entity = _Entity(properties if isinstance(properties, dict) else {})
        for name, read in _SORTS.items():
            with suppress(KeyError, TypeError, ValueError):
                entity[name] = read(entity[name])
        with suppress(ValueError, TypeError):
            watch = rows.read_watch(entity)
            assert 0 <= watch.step <= 2**30
            assert all(0 < seconds < math.inf for seconds in watch.past_durations)
            assert rows.read_watch(_Entity(rows.watch_row(_GROUP, watch))) == watch
        with suppress(ValueError, TypeError, KeyError):
            record = rows.read_request(entity)
            assert record.event is None or json.loads(record.event)["id"] == record.request_id


def blob(data: bytes) -> None:
    """Read a stored blob, of the sort that the first byte chooses."""
    read = _BLOBS[data[0] % len(_BLOBS)] if data else _BLOBS[0]
    with suppress(ValueError, RecursionError, CorruptSnapshot):
        read(data[1:])


def _read_manifest(data: bytes) -> None:
    manifest = msgspec.json.decode(data, type=Manifest)
    check_manifest(manifest, manifest.layout)
    assert sum(part.count for part in manifest.groups.parts) == manifest.groups.count


def _read_members_manifest(data: bytes) -> None:
    manifest = msgspec.json.decode(data, type=MembersManifest)
    check_manifest(manifest, manifest.layout)


def _read_run(data: bytes) -> None:
    progress = msgspec.json.decode(data, type=RunState).progress
    if progress is not None:
        progress.check()
        progress.can_be_resumed(progress.origin, datetime.now(UTC))


def _read_gzip(data: bytes) -> None:
    members = list(unpack([data[:20], data[20:]]))
    assert b"".join(line + b"\n" for member in members for line in member.lines) == gzip.decompress(data)


def _read_line(data: bytes) -> None:
    assert is_same(data, data)
    assert group_id_reader(ListedKind.DYNAMIC_PERSON_GROUP)(data)
    assert b"userData" not in data or group_id_reader(ListedKind.DYNAMIC_PERSON_GROUP)(without_user_data(data))


_BLOBS = (_read_manifest, _read_members_manifest, _read_run, _read_gzip, _read_line, read_members)
_TIMES = ("insertedAt", "endedAt", "nextPollAt", "firstPollAt", "seenAt", "calledAt", "slot")
_SORTS: dict[str, Callable[[str], object]] = {"event": str.encode, **dict.fromkeys(_TIMES, datetime.fromisoformat)}
"""Which properties a table holds that JSON does not."""
_GROUP = Group(GroupKind.PERSON_GROUP, "a-group")


class _Entity(dict[str, Any]):
    """A row as the table's client hands it over."""

    metadata: ClassVar = {"etag": "an-etag"}


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (training, page, error, response, timestamp, request, settings, row, blob)
}


def _check_line(line: bytes, id_field: str, group_id: str) -> None:
    assert b"\n" not in line
    group: dict[str, Any] = json.loads(line)
    assert group[id_field] == group_id
