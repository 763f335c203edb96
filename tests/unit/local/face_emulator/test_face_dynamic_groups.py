"""Dynamic person groups are listed by a cursor, and made and changed in bulk."""

import re
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.face_emulator.collection import Collection
from local.face_emulator.dynamic_groups import ALPHABET, Change, Fill, Shape, change, decode, fill, make_ids

SHAPES: tuple[Shape, ...] = get_args(Shape)


def filled(**order: int) -> Collection[bytes]:
    groups = Collection[bytes]()
    fill(groups, {}, Fill(**order))  # type: ignore[arg-type]  # the numbers of an order
    return groups


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_of_every_shape_are_valid_and_different(shape: Shape) -> None:
    count = 1 if shape == "one" else 5000
    ids = make_ids(shape, count, Random(1))
    assert len(set(ids)) == count
    assert all(re.fullmatch(r"[a-z0-9-_]{1,64}", group_id) for group_id in ids)


def test_ids_have_their_shape() -> None:
    assert {group_id[:1] for group_id in make_ids("uniform", 5000, Random(1))} == set(ALPHABET)
    assert len({group_id[:40] for group_id in make_ids("counter", 1000, Random(1))}) == 1
    assert len({group_id[:12] for group_id in make_ids("clusters", 1000, Random(1))}) == 8
    assert {len(group_id) for group_id in make_ids("long", 1000, Random(1))} == {64}


def test_the_same_seed_makes_the_same_groups() -> None:
    def pages(seed: int) -> list[bytes]:
        return filled(count=100, user_data=20, seed=seed).page("", 100)

    assert pages(1) == pages(1) != pages(2)


def test_groups_have_user_data_of_the_length_ordered() -> None:
    groups = [decode(encoded) for encoded in filled(count=50, user_data=300).page("", 50)]
    assert {len(group.user_data or "") for group in groups} == {300}
    assert len({group.user_data for group in groups}) == 50
    assert b"userData" not in filled(count=1).page("", 1)[0]


def test_a_change_says_what_it_did() -> None:
    groups = filled(count=100)
    before = {group_id: groups.get(group_id) for group_id in groups.ids()}
    told = change(groups, Change(added=5, removed=10, changed=15, seed=3))
    after = {group_id: groups.get(group_id) for group_id in groups.ids()}
    assert told.added == sorted(after.keys() - before.keys())
    assert told.removed == sorted(before.keys() - after.keys())
    assert told.changed == sorted(each for each in before.keys() & after.keys() if before[each] != after[each])
    assert (len(told.added), len(told.removed), len(told.changed)) == (5, 10, 15)


@given(st.sets(st.text(ALPHABET, min_size=1, max_size=4)), st.text(max_size=4), st.integers(1, 20))
def test_a_page_is_what_follows_the_cursor(ids: set[str], start: str, top: int) -> None:
    collection = Collection[str]()
    for item_id in ids:
        collection.put(item_id, item_id)
    assert collection.page(start, top) == sorted(item_id for item_id in ids if item_id > start)[:top]


@given(st.lists(st.tuples(st.booleans(), st.text("ab-", min_size=1, max_size=2))))
def test_a_collection_holds_what_was_put_and_not_removed(changes: list[tuple[bool, str]]) -> None:
    collection, model = Collection[str](), dict[str, str]()
    for put, item_id in changes:
        if put:
            collection.put(item_id, item_id)
            model[item_id] = item_id
        else:
            assert collection.remove(item_id) == (model.pop(item_id, None) is not None)
    assert collection.ids() == sorted(model)
    assert collection.page("", 100) == sorted(model)
