from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.snapshots.listing.key_space import LONGEST_KEY, KeySpace
from tests.support.directory_model import ALPHABET

NEIGHBOURS = st.sets(st.text(ALPHABET, min_size=1, max_size=64), min_size=2, max_size=20).map(sorted)


@given(NEIGHBOURS)
def test_neighbours_keep_their_order(ids: list[str]) -> None:
    space = KeySpace(ids)
    positions = [space.position(group_id) for group_id in ids]
    assert all(one <= other for one, other in pairwise(positions))
    assert positions[-1] <= space.position(None)


@given(NEIGHBOURS, st.floats(0, 1))
def test_a_key_is_one_that_the_service_takes(ids: list[str], share: float) -> None:
    space = KeySpace(ids)
    key = space.key_at(int(share * 1_000) * space.position(None) // 1_000)
    assert len(key) <= LONGEST_KEY
    assert set(key) <= set("".join(ids))


def test_digits_that_stand_still_are_counted_on() -> None:
    space = KeySpace([f"customer-group-{number:06d}" for number in range(900, 1_000)])
    assert space.spacing == 1
    assert space.position(None) - space.position("customer-group-000999") == 10**6 - 999
    assert space.key_at(space.position("customer-group-000999") + 250_000) == "customer-group-250999"


@pytest.mark.parametrize(("key", "place"), [("a", "before"), ("customer-group-", "before"), ("z", "behind")])
def test_keys_outside_of_the_prefix_lie_at_the_ends(key: str, place: str) -> None:
    space = KeySpace([f"customer-group-{number:03d}" for number in range(100)])
    assert space.position(key) == (0 if place == "before" else space.position(None))
