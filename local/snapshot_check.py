"""A published snapshot read as any other program would, and its blobs held to its manifest."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

DIRECTORY = "dynamic-person-groups"

type Json = Mapping[str, Any]


def read_pointer(container: ContainerClient, directory: str = DIRECTORY) -> Json | None:
    """Return what names the newest complete snapshot, ``None`` where there is none yet."""
    try:
        pointer: Json = json.loads(_download(container, f"{directory}/latest.json"))
    except ResourceNotFoundError:
        return None
    return pointer


def read_ids(container: ContainerClient, pointer: Json) -> list[str]:
    """Return the IDs of the snapshot's groups, in the order in which they are stored."""
    manifest = pointer["manifest"]
    stored = _download(container, manifest["groups"]["path"])
    return _ids(gzip.decompress(stored), manifest["kind"])


def find_problems(container: ContainerClient, pointer: Json) -> list[str]:
    """Return what of a snapshot is not as its manifest says, one line each."""
    directory = pointer["manifest"]["groups"]["path"].partition("/")[0]
    manifest = json.loads(_download(container, f"{directory}/manifests/{pointer['snapshotId']}.json"))
    if manifest != pointer["manifest"]:
        return ["the pointer's manifest is not the snapshot's"]
    stored = _download(container, manifest["groups"]["path"])
    problems = _check_stored(manifest["groups"], stored)
    # With wrong bytes, all else would be wrong too.
    if problems:
        return problems
    problems = _check_groups(manifest, stored)
    if manifest["changes"] is not None:
        changes = _download(container, manifest["changes"]["path"])
        problems += _check_stored(manifest["changes"], changes) or _check_changes(manifest["changes"], changes)
    return problems


def _check_stored(entry: Json, stored: bytes) -> list[str]:
    values = {"size": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
    return [
        f"{entry['path']}: {name} is {value}, the manifest says {entry[name]}"
        for name, value in values.items()
        if value != entry[name]
    ]


def _check_groups(manifest: Json, stored: bytes) -> list[str]:
    entry, kind = manifest["groups"], manifest["kind"]
    ids = _ids(gzip.decompress(stored), kind)
    problems = []
    if len(ids) != entry["count"]:
        problems.append(f"{len(ids)} groups are stored, the manifest says {entry['count']}")
    problems += [f"{after!r} is stored behind {before!r}" for before, after in pairwise(ids) if before >= after][:5]
    return problems + _check_parts(entry["parts"], stored, kind)


def _check_parts(parts: Sequence[Json], stored: bytes, kind: str) -> list[str]:
    problems, end, last = [], 0, ""
    for number, part in enumerate(parts):
        ids = _ids(gzip.decompress(stored[part["offset"] : part["offset"] + part["length"]]), kind)
        actual = (end, len(ids), last, ids[0], ids[-1])
        said = (part["offset"], part["count"], part["after"], part["firstId"], part["lastId"])
        if actual != said:
            problems.append(f"part {number}: found offset, count and IDs {actual}, the manifest says {said}")
        end += part["length"]
        last = ids[-1]
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


def _ids(lines: bytes, kind: str) -> list[str]:
    return [json.loads(line)[f"{kind}Id"] for line in lines.splitlines()]


def _download(container: ContainerClient, path: str) -> bytes:
    return container.download_blob(path).readall()
