"""Blobs that somebody else has written: each stored file truncated, flipped and inflated, each JSON field wrong."""

import copy
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from itertools import islice
from typing import Any

import msgspec
from azure.storage.blob import BlobBlock

from shared.snapshots.members import LAYOUT
from shared.snapshots.stored.archive import RUN_METADATA
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.manifest import MAX_MANIFEST_BYTES, DataBlob, Part, Pointer
from shared.snapshots.stored.progress import Origin, StagedPart, new_progress
from shared.snapshots.stored.run import Leftover, RunState
from tests.hostile.bombs import bomb
from tests.hostile.copies import GROUPS, Copies
from tests.hostile.limited import SECRET, Case
from tests.support.directory_model import line
from tests.support.doubles.container import InMemoryContainer, damaged
from tests.support.doubles.service import ENDPOINT

IDS = [f"group-{number:02}" for number in range(12)]
FLIPS, CUTS = 8, 3

VALUES: dict[str, Any] = {
    "nothing": None,
    "a number": 7,
    "below nothing": -1,
    "nought": 0,
    "the largest number": 2**63 - 1,
    "a larger number": 2**200,
    "a fraction": 1.5,
    "yes": True,
    "no": False,
    "empty": "",
    "a text": SECRET,
    "a long text": SECRET * 10_000,
    "a path": "../../run",
    "the last ID": "99991231T235959Z",
    "no day": "20261399T000000Z",
    "a time": "9999-12-31T23:59:59Z",
    "a time at the beginning": "0001-01-01T00:00:00+14:00",
    "a time without an offset": "2026-11-20T10:00:00",
    "a list": [],
    "a list of texts": [SECRET] * 3,
    "an object": {},
    "an object of texts": {SECRET: SECRET},
}


class Place(msgspec.Struct, frozen=True):
    """A blob, after nights that ended so."""

    members: bool  # else groups
    path: str
    complete: bool = False  # the last run died after its commit; else amid its list

    @property
    def data(self) -> bytes:
        """Return what is stored there."""
        return nights(complete=self.complete)[self.members].stored[self.path].data

    def __str__(self) -> str:
        return f"{'members' if self.members else 'groups'}/{self.path.partition('/')[2]}, {self.complete}"


@cache
def nights(*, complete: bool) -> tuple[InMemoryContainer, InMemoryContainer]:
    """Return the containers after two nights, and a third whose runs died."""
    copies = Copies(IDS)
    copies.publish()
    copies.service.directory.put("group-x")
    copies.publish()
    for container, layout in ((copies.groups, GROUPS), (copies.members, LAYOUT)):
        ids = IDS if complete else IDS[:5]
        fields = [
            {"personIds": ["a-person"], "listedAt": "2026-11-20T10:00:00Z"} if container is copies.members else {}
        ]
        member = pack([line(group_id, **fields[0]) for group_id in ids])
        origin = Origin(ENDPOINT, "v1.2-preview.1", includes_user_data=container is copies.groups)
        progress = new_progress(origin, datetime.now(UTC), "a-run", newer_than=_ids(container))
        part = StagedPart.of("1" * 32, len(member), "", ids)
        progress = msgspec.structs.replace(progress, parts=(part,), complete=complete, attempts=1)
        blob = container.get_blob_client(layout.data_path(progress.snapshot_id))
        blob.stage_block(part.block_id, member, len(member))
        if complete:
            blob.commit_block_list([BlobBlock(part.block_id)], metadata={RUN_METADATA: progress.run_id})
        leftovers = (Leftover("20261101T000000Z"), Leftover("20261102T000000Z", "another-run"))
        container.upload_blob(layout.run, msgspec.json.encode(RunState(progress, leftovers)), overwrite=True)
    return copies.groups, copies.members


def _ids(container: InMemoryContainer) -> list[str]:
    manifests = container.list_blob_names(name_starts_with=GROUPS.manifests)
    return [name.removeprefix(GROUPS.manifests).removesuffix(".json") for name in manifests]


def bear(place: Place, make: Callable[[], bytes]) -> None:
    """Let somebody write a blob, and see that people get an answer, and that the run after the next one publishes."""
    copies = Copies(IDS)
    for mine, other in zip((copies.groups, copies.members), nights(complete=place.complete), strict=True):
        mine.stored, mine.staged = dict(other.stored), copy.deepcopy(other.staged)
    container = copies.members if place.members else copies.groups
    container.stored[place.path] = damaged(container.stored[place.path], make())
    copies.look(_ids(copies.groups)[-1])
    copies.attempt()
    copies.publish()


def _places() -> Iterator[Place]:
    for members, container in enumerate(nights(complete=False)):
        for path in sorted(container.stored):
            yield Place(bool(members), path)
            if path == GROUPS.run:
                yield Place(bool(members), path, complete=True)


def _damages(place: Place) -> Iterator[tuple[str, Callable[[], bytes]]]:
    data = place.data
    for number in range(CUTS):
        length = len(data) * number // CUTS
        yield f"cut to {length} bytes", partial(_cut, data, length)
    yield "cut at its end", partial(_cut, data, -1)
    for number in range(FLIPS):
        yield f"flipped at {number} of {FLIPS} places", partial(_flipped, data, number)
    yield "twice", lambda: data * 2
    yield "of zeros", lambda: bytes(100_000)
    if place.path.endswith(".gz"):
        yield "a bomb of zeros", lambda: bomb(b"\0", 1024)
        yield "a bomb of short lines", lambda: bomb(b"{}\n", 1024)
        yield "a member of empty lines", lambda: gzip.compress(b"\n" * (64 * 1_048_576), 1)
        yield "many members", lambda: gzip.compress(b"") * 20_000
        yield "a member of text", lambda: gzip.compress(SECRET.encode() + b"\n")
    else:
        yield "nested lists", lambda: b"[" * 1_000_000
        yield "nested objects", lambda: b'{"manifest":' * 1_000_000
        yield "nested in an unknown field", lambda: data[:-1] + b',"unknown":' + b"[" * 1_000_000
        yield "not text", lambda: data.replace(b'"', b'"\xff')
        yield "all that may be read", lambda: _filled(data)


def _cut(data: bytes, length: int) -> bytes:
    return data[:length]


def _flipped(data: bytes, number: int) -> bytes:
    place = (len(data) - 1) * number // (FLIPS - 1)
    return data[:place] + bytes([data[place] ^ (1 << number % 8)]) + data[place + 1 :]


def _filled(data: bytes) -> bytes:
    """Return a text of 32 MiB, the first list of which has as many items as it takes."""
    begin, bracket, end = data.partition(b"[")
    item = b'"a",' if b'"head"' in data else b"{},"
    return (
        begin
        + bracket
        + item * ((MAX_MANIFEST_BYTES - len(data)) // len(item))
        + (item[:-1] if end[:1] == b"]" else b"")
        + end
    )


def _fields(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of all fields of some JSON, those of the first item of a list alone."""
    items: list[tuple[Any, Any]] = []
    match value:
        case dict():
            items = list(value.items())
        case [first, *_]:
            items = [(0, first)]
    for name, inner in items:
        yield (*where, name)
        yield from _fields(inner, (*where, name))


def _changed(value: Any, where: tuple[Any, ...], change: Callable[[Any, Any], None]) -> bytes:
    changed = copy.deepcopy(value)
    inner = changed
    for name in where[:-1]:
        inner = inner[name]
    change(inner, where[-1])
    return json.dumps(changed).encode()


def _field_cases() -> Iterator[Case]:
    for place in _places():
        if place.path not in (GROUPS.run, GROUPS.pointer):
            continue  # a manifest is read as the pointer's is
        value = json.loads(place.data)
        for number, where in enumerate(_fields(value)):
            name = ".".join(map(str, where))
            yield Case(f"{place}: {name} is missing", partial(bear, place, partial(_changed, value, where, _remove)))
            share = 10 if place.path == GROUPS.run else 16
            for kind, new in islice(VALUES.items(), number % share, None, share):
                text = partial(_changed, value, where, partial(_set, new))
                yield Case(f"{place}: {name} is {kind}", partial(bear, place, text))


def _remove(inner: Any, name: Any) -> None:
    del inner[name]


def _set(new: Any, inner: Any, name: Any) -> None:
    inner[name] = new


def _damage_cases() -> Iterator[Case]:
    for place in _places():
        for name, make in _damages(place):
            yield Case(f"{place}: {name}", partial(bear, place, make))


LINES: dict[str, bytes] = {
    "nested": b'{"dynamicPersonGroupId":"group-00","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deeply nested": b'{"dynamicPersonGroupId":"group-00","x":' + b"[" * 5_000_000,
    "a number that is too large": b'{"dynamicPersonGroupId":"group-00","x":1e999}',
    "half a pair": b'{"dynamicPersonGroupId":"group-00","x":"\\ud800"}',
    "half a pair and nested": b'{"dynamicPersonGroupId":"group-00","y":"\\ud800","x":' + b"[" * 200_000,
    "not text": b'{"dynamicPersonGroupId":"group-00","x":"\xff"}',
    "another form": b'{"dynamicPersonGroupId":"group-00","personIds":7,"listedAt":[],"userData":{}}',
    "persons of another form": b'{"dynamicPersonGroupId":"group-00","personIds":[{}],"listedAt":"%s"}'
    % SECRET.encode(),
    "an ID of another kind": b'{"dynamicPersonGroupId":7}',
    "no object": b"[]",
    "nothing": b"",
}
"""Lines of a copy whose manifest tells the truth of it."""


def bear_line(members: bool, text: bytes) -> None:
    """Let somebody put a line into the newest copy, with a manifest that fits, and see that the jobs go on."""
    copies = Copies(IDS)
    published = copies.publish()[members]
    container, layout = (copies.members, LAYOUT) if members else (copies.groups, GROUPS)
    member = pack([text])
    part = Part(0, len(member), 1, "", "group-00", "group-00")
    path = layout.data_path(published.snapshot_id)
    blob = DataBlob(path, 1, len(member), hashlib.sha256(member).hexdigest(), (part,))
    manifest = msgspec.structs.replace(published, **{"members" if members else "groups": blob})
    container.stored[path] = damaged(container.stored[path], member)
    container.upload_blob(layout.pointer, msgspec.json.encode(Pointer(published.snapshot_id, manifest)), overwrite=True)
    container.upload_blob(
        layout.manifest_path(published.snapshot_id), msgspec.json.encode(manifest), overwrite=True, metadata={}
    )
    copies.look(published.snapshot_id)
    copies.attempt()
    copies.publish()


def _line_cases() -> Iterator[Case]:
    for members in (False, True):
        for name, text in LINES.items():
            yield Case(f"a line of {'members' if members else 'groups'}: {name}", partial(bear_line, members, text))


CASES = [*_damage_cases(), *_field_cases(), *_line_cases()]
