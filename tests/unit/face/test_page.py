import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.page import MAX_GROUP_BYTES, ListedGroup, ListedKind, decode_page
from tests.support.face_contract import DATA

DYNAMIC = ListedKind.DYNAMIC_PERSON_GROUP


def decode(body: bytes, most: int = 10) -> list[ListedGroup]:
    return decode_page(body, DYNAMIC, most)


@pytest.mark.parametrize(
    ("kind", "path", "id_field"),
    [
        (ListedKind.DYNAMIC_PERSON_GROUP, "dynamicpersongroups", "dynamicPersonGroupId"),
        (ListedKind.PERSON_GROUP, "persongroups", "personGroupId"),
        (ListedKind.LARGE_PERSON_GROUP, "largepersongroups", "largePersonGroupId"),
        (ListedKind.LARGE_FACE_LIST, "largefacelists", "largeFaceListId"),
    ],
)
def test_each_kind_has_its_path_and_its_id(kind: ListedKind, path: str, id_field: str) -> None:
    assert kind.path == path
    body = json.dumps([{id_field: "a"}]).encode()
    assert [group.group_id for group in decode_page(body, kind, 10)] == ["a"]


def test_a_page_keeps_each_group_as_it_came_on_one_line() -> None:
    body = (
        '[ {"dynamicPersonGroupId": "a", "name": "\\u00e4\\n",\n "later": [1.50, {"x": 1e3}]},\n'
        '{"name": "ß", "dynamicPersonGroupId": "b"} ]'
    )
    first, second = decode(body.encode())
    assert (first.group_id, second.group_id) == ("a", "b")
    assert first.body == b'{"dynamicPersonGroupId":"a","name":"\\u00e4\\n","later":[1.50,{"x":1e3}]}'
    assert second.body == '{"name":"ß","dynamicPersonGroupId":"b"}'.encode()


def test_the_documented_page_is_read() -> None:
    example = json.loads((DATA / "openapi/examples/PersonDirectoryOperations_GetDynamicPersonGroups.json").read_text())
    groups = decode(json.dumps(example["responses"]["200"]["body"]).encode())
    assert [group.group_id for group in groups] == ["your_dynamic_person_group_id"]


def test_an_empty_page_has_no_groups() -> None:
    assert decode(b" [ ] ") == []


HALF_A_PAIR = (
    b'{ "dynamicPersonGroupId": "b\\u00e4\xc3\xa4",\r\n"userData": "\\ud800", "n": 1e999, "m": ' + b"9" * 5000 + b"}"
)


def test_valid_json_that_few_readers_take_is_kept_as_it_came() -> None:
    first, second, third = decode(
        b'[ {"dynamicPersonGroupId":"a"} ,' + HALF_A_PAIR + b',\n{"dynamicPersonGroupId":"c"} ]\n'
    )
    assert (first.group_id, second.group_id, third.group_id) == ("a", "bää", "c")
    assert second.body == HALF_A_PAIR.replace(b"\r\n", b"  ")
    assert (first.unreadable, second.unreadable, third.unreadable) == (None, None, None)


@pytest.mark.parametrize("more", [b"", b"," + HALF_A_PAIR])
def test_of_a_group_that_is_not_utf8_the_id_is_kept(more: bytes) -> None:
    groups = decode(b'[{"dynamicPersonGroupId":"a"},{"dynamicPersonGroupId":"b","name":"\xff"}' + more + b"]")
    assert groups[:2] == [
        ListedGroup("a", b'{"dynamicPersonGroupId":"a"}'),
        ListedGroup("b", b"", "not UTF-8"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"value": []}',
        b"[{}]",
        b"[null]",
        b'["a"]',
        b'[{"dynamicPersonGroupId": null}]',
        b'[{"dynamicPersonGroupId": 1}]',
        b'[{"dynamicPersonGroupId": ""}]',
        b'[{"dynamicPersonGroupId": "' + b"a" * 65 + b'"}]',
        b'[{"dynamicPersonGroupId": "\\ud800"}]',
        b'[{"dynamicPersonGroupId": "\xff"}]',
        b'[{"dynamicPersonGroupId": "a"}, {"name": "b"}]',
        b'[{"dynamicPersonGroupId": "a"}',
        b'[{"dynamicPersonGroupId": "a"},]',
        b'[{"dynamicPersonGroupId": "a"}}',
        b'[{"dynamicPersonGroupId": "a"}] x',
        b'[{"dynamicPersonGroupId": "a", "n": NaN}]',
        b'[{"dynamicPersonGroupId": "a", "n": "\\ud800"}, {"dynamicPersonGroupId": "a"}] x',
        b'[{"dynamicPersonGroupId": "a", "n": "\\ud800", "x": "' + b"x" * MAX_GROUP_BYTES + b'"}]',
    ],
)
def test_a_body_of_another_schema_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(body)


@pytest.mark.parametrize("more", [b"}", b',"x":"\\ud800"}'])
def test_a_page_has_no_more_groups_than_asked_for(more: bytes) -> None:
    groups = [b'{"dynamicPersonGroupId":"%d"' % number + more for number in range(11)]
    assert len(decode(b"[" + b",".join(groups[:10]) + b"]")) == 10
    with pytest.raises(ValueError, match="expected at most 10"):
        decode(b"[" + b",".join(groups) + b"]")


@pytest.mark.parametrize(
    "item", [b"1", b"[]", b"{}", b'{"dynamicPersonGroupId":"a"}', b'{"dynamicPersonGroupId":"a","x":"\\ud800"}']
)
def test_a_page_of_countless_items_takes_little_memory(item: bytes) -> None:
    body = b"[" + b",".join([item] * (4_000_000 // len(item))) + b"]"
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"."):
        decode(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(body)


@given(
    st.binary()
    | st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.lists(inner)).map(
        lambda value: json.dumps(value).encode()
    )
    | st.lists(st.dictionaries(st.sampled_from([DYNAMIC.id_field, "name"]), st.text() | st.floats())).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_no_body_raises_anything_but_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        for group in decode(body):
            assert b"\n" not in group.body
            assert json.loads(group.body)[DYNAMIC.id_field] == group.group_id
