"""Read a published snapshot as any other program would, and hold its blobs to its manifest."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

POINTER = "dynamic-person-groups-latest.json"

type Json = Mapping[str, Any]


def read_pointer(container: ContainerClient) -> Json | None:
    """Return what names the newest complete snapshot, None where there is none yet."""
    try:
        pointer: Json = json.loads(_download(container, POINTER))
    except ResourceNotFoundError:
        return None
    return pointer


def read_ids(container: ContainerClient, pointer: Json) -> list[str]:
    """Return the IDs of the snapshot's groups, in the order in which they are stored."""
    stored = _download(container, f"{pointer['path']}/groups.ndjson.gz")
    return _ids(gzip.decompress(stored))


def find_problems(container: ContainerClient, pointer: Json) -> list[str]:
    """Return what of a snapshot is not as its manifest says, one line each."""
    manifest = json.loads(_download(container, f"{pointer['path']}/manifest.json"))
    if manifest != pointer["manifest"]:
        return ["the pointer's manifest is not the snapshot's"]
    stored = _download(container, f"{pointer['path']}/groups.ndjson.gz")
    problems = _check_stored(manifest["groups"], stored)
    # With wrong bytes, all else would be wrong too.
    if problems:
        return problems
    problems = _check_groups(manifest["groups"], stored)
    if manifest["changes"] is not None:
        changes = _download(container, f"{pointer['path']}/changes.ndjson.gz")
        problems += _check_stored(manifest["changes"], changes) or _check_changes(manifest["changes"], changes)
    return problems


def _check_stored(entry: Json, stored: bytes) -> list[str]:
    found = {"size": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
    return [
        f"{entry['name']}: {name} is {value}, the manifest says {entry[name]}"
        for name, value in found.items()
        if value != entry[name]
    ]


def _check_groups(entry: Json, stored: bytes) -> list[str]:
    ids = _ids(gzip.decompress(stored))
    problems = []
    if len(ids) != entry["count"]:
        problems.append(f"{len(ids)} groups are stored, the manifest says {entry['count']}")
    problems += [f"{after!r} is stored behind {before!r}" for before, after in pairwise(ids) if before >= after][:5]
    return problems + _check_parts(entry["parts"], stored)


def _check_parts(parts: Sequence[Json], stored: bytes) -> list[str]:
    problems, end = [], 0
    for number, part in enumerate(parts):
        ids = _ids(gzip.decompress(stored[part["offset"] : part["offset"] + part["length"]]))
        found = (end, len(ids), ids[0], ids[-1])
        said = (part["offset"], part["count"], part["firstId"], part["lastId"])
        if found != said:
            problems.append(f"part {number}: found offset, count, first and last ID {found}, the manifest says {said}")
        end += part["length"]
    if parts and end != len(stored):
        problems.append(f"the parts end at byte {end} of {len(stored)}")
    return problems


def _check_changes(entry: Json, stored: bytes) -> list[str]:
    counts = Counter(json.loads(line)["change"] for line in gzip.decompress(stored).splitlines())
    return [
        f"{counts[name]} groups were {name}, the manifest says {entry[name]}"
        for name in ("added", "removed", "changed")
        if counts[name] != entry[name]
    ]


def _ids(lines: bytes) -> list[str]:
    return [json.loads(line)["dynamicPersonGroupId"] for line in lines.splitlines()]


def _download(container: ContainerClient, path: str) -> bytes:
    return container.download_blob(path).readall()
