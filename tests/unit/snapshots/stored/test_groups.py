import gzip
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.stored.groups import StoredGroups
from shared.snapshots.stored.gzip_members import pack, unpack
from shared.snapshots.stored.manifest import Part
from tests.support.directory_model import line


def blob_of(*parts: list[str]) -> tuple[bytes, list[Part]]:
    blob, placed = b"", []
    for ids in parts:
        member = pack([line(group_id) for group_id in ids])
        placed.append(Part(len(blob), len(member), len(ids), ids[0], ids[-1]))
        blob += member
    return blob, placed


def chunks(blob: bytes, size: int) -> list[bytes]:
    return [blob[begin : begin + size] for begin in range(0, len(blob), size)]


@given(st.lists(st.lists(st.binary(max_size=30).filter(lambda text: b"\n" not in text))), st.integers(1, 100))
def test_members_come_back_as_they_were_packed_in_chunks_of_any_size(parts: list[list[bytes]], size: int) -> None:
    blob = b"".join(pack(part) for part in parts)
    members = list(unpack(chunks(blob, size)))
    assert [member.lines for member in members] == parts
    assert sum(member.length for member in members) == len(blob)
    assert gzip.decompress(blob) == b"".join(text + b"\n" for part in parts for text in part)


def test_the_same_lines_are_always_the_same_bytes() -> None:
    assert pack([b"a", b"b"]) == pack([b"a", b"b"])
    assert pack([b"a"])[4:8] == bytes(4)  # the time of a gzip header (RFC 1952)


@given(st.integers(1, 200))
def test_stored_groups_are_read_in_order_with_their_size_and_checksum(size: int) -> None:
    blob, parts = blob_of(["a", "b"], ["c"])
    stored = StoredGroups(chunks(blob, size), parts)
    assert [group_id for group_id, _ in stored] == ["a", "b", "c"]
    assert stored.size == len(blob)
    assert stored.sha256 == hashlib.sha256(blob).hexdigest()


def test_an_empty_list_is_one_member_without_lines() -> None:
    assert list(StoredGroups([pack([])], [])) == []


DAMAGES: dict[str, Callable[[bytes, list[Part]], tuple[bytes, list[Part]]]] = {
    "a part is missing": lambda blob, parts: (blob[parts[1].offset :], parts),
    "the last part is missing": lambda blob, parts: (blob[: parts[1].offset], parts),
    "a part too many": lambda blob, parts: (blob, parts[:1]),
    "cut": lambda blob, parts: (blob[:-4], parts),
    "not gzip": lambda blob, parts: (b"x" + blob, parts),
    "other groups": lambda _, parts: (blob_of(["a", "b"], ["d"])[0], parts),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_blob_that_is_not_what_was_written_is_found_out(
    damage: Callable[[bytes, list[Part]], tuple[bytes, list[Part]]],
) -> None:
    blob, parts = damage(*blob_of(["a", "b"], ["c"]))
    with pytest.raises(CorruptSnapshot):
        list(StoredGroups([blob], parts))


@pytest.mark.parametrize("ids", [(["b", "a"],), (["a", "a"],), (["a", "b"], ["b", "c"])], ids=str)
def test_groups_that_are_stored_twice_or_out_of_order_are_found_out(ids: tuple[list[str], ...]) -> None:
    blob, parts = blob_of(*ids)
    with pytest.raises(CorruptSnapshot, match="order"):
        list(StoredGroups([blob], parts))


@pytest.mark.parametrize("text", [b"{}\n", b"no JSON\n", b'{"dynamicPersonGroupId": "a"}'], ids=str)
def test_a_line_that_is_no_group_is_found_out(text: bytes) -> None:
    with pytest.raises(CorruptSnapshot):
        list(StoredGroups([gzip.compress(text)], [Part(0, 1, 1, "a", "a")]))
