"""The check of a published snapshot sees each thing that can be wrong with one."""

import gzip
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.azurite import Azurite
from local.snapshot_check import find_problems, read_ids, read_pointer

GROUPS = "dynamic-person-groups/groups/dt=2026-11-20/20261120T030000Z.ndjson.gz"
CHANGES = "dynamic-person-groups/changes/dt=2026-11-20/20261120T030000Z.ndjson.gz"
PAGES = [["a", "b"], ["c"]]


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        yield blobs.create_container(f"check-{uuid.uuid4().hex}")


def member(ids: list[str]) -> bytes:
    return gzip.compress(b"".join(json.dumps({"dynamicPersonGroupId": one}).encode() + b"\n" for one in ids))


def manifest_of(pages: list[list[str]], changes: bytes | None = None) -> dict[str, Any]:
    parts, offset, last = [], 0, ""
    for ids in pages:
        length = len(member(ids))
        part = {"offset": offset, "length": length, "count": len(ids), "after": last}
        parts.append({**part, "firstId": ids[0], "lastId": ids[-1]})
        offset, last = offset + length, ids[-1]
    stored = b"".join(map(member, pages))
    return {
        "kind": "dynamicPersonGroup",
        "groups": {"path": GROUPS, "count": sum(map(len, pages)), **size_of(stored), "parts": parts},
        "changes": changes and {"path": CHANGES, "added": 1, "removed": 0, "changed": 0, **size_of(changes)},
    }


def size_of(stored: bytes) -> dict[str, Any]:
    return {"size": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}


def publish(
    container: ContainerClient, manifest: dict[str, Any], pages: list[list[str]], changes: bytes | None = None
) -> dict[str, Any]:
    """Store a snapshot as the manifest says it, whether that is true or not, and return what names it."""
    pointer = {"snapshotId": "20261120T030000Z", "manifest": manifest}
    container.upload_blob(GROUPS, b"".join(map(member, pages)))
    if changes is not None:
        container.upload_blob(CHANGES, changes)
    container.upload_blob("dynamic-person-groups/manifests/20261120T030000Z.json", json.dumps(manifest))
    container.upload_blob("dynamic-person-groups/latest.json", json.dumps(pointer))
    return pointer


def test_without_a_snapshot_there_is_no_pointer(container: ContainerClient) -> None:
    assert read_pointer(container) is None


def test_a_whole_snapshot_has_no_problem(container: ContainerClient) -> None:
    changes = gzip.compress(b'{"change": "added"}\n')
    published = publish(container, manifest_of(PAGES, changes), PAGES, changes)
    assert read_pointer(container) == published
    assert read_ids(container, published) == ["a", "b", "c"]
    assert find_problems(container, published) == []


def test_a_pointer_with_another_manifest_is_a_problem(container: ContainerClient) -> None:
    published = publish(container, manifest_of(PAGES), PAGES)
    published["manifest"] = manifest_of([["a"]])
    assert find_problems(container, published) == ["the pointer's manifest is not the snapshot's"]


def test_ids_out_of_order_are_a_problem(container: ContainerClient) -> None:
    pages = [["a", "c"], ["b"]]
    assert find_problems(container, publish(container, manifest_of(pages), pages)) == ["'b' is stored behind 'c'"]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(lambda entry: entry.update(size=1), "size is", id="size"),
        pytest.param(lambda entry: entry.update(sha256="0" * 64), "sha256 is", id="sha256"),
        pytest.param(lambda entry: entry.update(count=4), "3 groups are stored", id="count"),
        pytest.param(lambda entry: entry["parts"][0].update(count=1), "part 0", id="part-count"),
        pytest.param(lambda entry: entry["parts"][1].update(lastId="z"), "part 1", id="part-last-id"),
        pytest.param(lambda entry: entry["parts"][1].update(after="a"), "part 1", id="part-after"),
        pytest.param(lambda entry: entry["parts"].pop(), "the parts end at byte", id="part-missing"),
    ],
)
def test_each_entry_of_the_groups_counts(
    container: ContainerClient, spoil: Callable[[dict[str, Any]], None], problem: str
) -> None:
    manifest = manifest_of(PAGES)
    spoil(manifest["groups"])
    (found,) = find_problems(container, publish(container, manifest, PAGES))
    assert problem in found


def test_wrong_counts_of_changes_are_a_problem(container: ContainerClient) -> None:
    changes = gzip.compress(b'{"change": "removed"}\n')
    published = publish(container, manifest_of(PAGES, changes), PAGES, changes)
    assert find_problems(container, published) == [
        "0 groups were added, the manifest says 1",
        "1 groups were removed, the manifest says 0",
    ]
