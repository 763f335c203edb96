"""The double of a container answers as Azurite does: the same cases run against both."""

from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobLeaseClient

from tests.support.doubles.container import InMemoryContainer
from tests.support.snapshots import new_container

if TYPE_CHECKING:
    from local.azurite import Azurite

UNCHANGED = MatchConditions.IfNotModified


@pytest.fixture(params=["double", "azurite"])
def container(request: pytest.FixtureRequest) -> Any:
    if request.param == "double":
        return InMemoryContainer()
    azurite: Azurite = request.getfixturevalue("azurite")
    return new_container(azurite.connection_string)


def test_a_blob_is_read_as_it_was_written(container: Any) -> None:
    blob = container.upload_blob("a/b.json", b"0123456789", metadata={"run": "one"})
    properties = blob.get_blob_properties()
    assert (properties.size, properties.metadata, properties.lease.state) == (10, {"run": "one"}, "available")
    assert blob.download_blob().readall() == b"0123456789"
    assert blob.download_blob(2, 3).readall() == b"234"
    assert blob.download_blob(8, 100, etag=properties.etag, match_condition=UNCHANGED).readall() == b"89"
    empty = container.upload_blob("a/c", b"")
    assert empty.download_blob(0, 1).readall() == b""
    assert list(container.list_blob_names(name_starts_with="a/")) == ["a/b.json", "a/c"]


def test_a_blob_is_written_once_unless_it_is_told_otherwise(container: Any) -> None:
    blob = container.upload_blob("one", b"1")
    etag = blob.get_blob_properties().etag
    with pytest.raises(ResourceExistsError):
        container.upload_blob("one", b"2")
    blob.upload_blob(b"3", overwrite=True, etag=etag, match_condition=UNCHANGED)
    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(b"4", overwrite=True, etag=etag, match_condition=UNCHANGED)
    with pytest.raises(ResourceModifiedError):
        blob.download_blob(etag=etag, match_condition=UNCHANGED)
    with pytest.raises(ResourceModifiedError):
        blob.delete_blob(etag=etag, match_condition=UNCHANGED)
    blob.delete_blob()
    assert not blob.exists()


def test_what_is_not_there_is_told(container: Any) -> None:
    blob = container.get_blob_client("none")
    assert not blob.exists()
    for call in (blob.get_blob_properties, blob.download_blob, blob.delete_blob, lambda: blob.get_block_list("all")):
        with pytest.raises(ResourceNotFoundError):
            call()


def test_blocks_are_seen_once_they_are_committed_in_their_order(container: Any) -> None:
    blob = container.get_blob_client("blocks")
    for block_id, data in (("1" * 32, b"one "), ("2" * 32, b"two"), ("3" * 32, b"three")):
        blob.stage_block(block_id, data, len(data))
    assert not blob.exists()
    committed, staged = blob.get_block_list("all")
    assert (committed, min((each.id, each.size) for each in staged)) == ([], ("1" * 32, 4))
    blocks = [BlobBlock("1" * 32), BlobBlock("2" * 32)]
    blob.commit_block_list(blocks, metadata={"run": "a"}, match_condition=MatchConditions.IfMissing)
    assert blob.download_blob().readall() == b"one two"
    committed, staged = blob.get_block_list("all")
    assert ([each.id for each in committed], list(staged)) == (["1" * 32, "2" * 32], [])
    with pytest.raises(ResourceExistsError):
        blob.commit_block_list(blocks, match_condition=MatchConditions.IfMissing)
    with pytest.raises(HttpResponseError):
        blob.commit_block_list([BlobBlock("4" * 32)])


def test_a_leased_blob_is_written_by_its_holder_alone(container: Any) -> None:
    blob = container.upload_blob("leased", b"")
    lease, other = BlobLeaseClient(blob), BlobLeaseClient(blob)
    lease.acquire(60)
    lease.acquire(60)
    assert blob.get_blob_properties().lease.state == "leased"
    with pytest.raises(ResourceExistsError):
        other.acquire(60)
    with pytest.raises(HttpResponseError) as refusal:
        blob.upload_blob(b"theirs", overwrite=True)
    assert refusal.value.status_code == 412
    blob.upload_blob(b"ours", overwrite=True, lease=lease)
    blob.set_blob_tags({}, lease=lease)
    lease.renew()
    lease.release()
    other.acquire(60)


def test_a_blob_that_has_to_be_there_is_not_made_anew(container: Any) -> None:
    blob = container.get_blob_client("a/b.json")
    with pytest.raises(HttpResponseError) as raised:
        blob.upload_blob(b"1", overwrite=True, match_condition=MatchConditions.IfPresent)
    assert raised.value.status_code == 412
    assert not blob.exists()
