"""Random lists, with pages of any length, in several orders, while groups come and go: nothing is lost in silence."""

from collections.abc import Callable
from random import Random

import pytest

from shared.snapshots.errors import OutOfOrder
from shared.snapshots.listing.coverage import Coverage
from tests.support.directory_model import ALPHABET, DirectoryModel
from tests.unit.snapshots.listing.test_coverage import AnywhereSplitter, Walk

HISTORIES = 400


def ordinal(group_id: str) -> str:
    return group_id


ORDERS: list[Callable[[str], str]] = [
    lambda group_id: group_id.replace("-", "").replace("_", "") + "\0" + group_id,
    lambda group_id: group_id[::-1],
    lambda group_id: f"{len(group_id):02}{group_id}",
    lambda group_id: group_id.replace("_", "~"),
]


class ShortPages(DirectoryModel):
    """A list whose pages are short at random amid the list, and empty only behind it."""

    random: Random

    def ids_behind(self, after: str, top: int) -> list[str]:
        page = super().ids_behind(after, top)
        return page[: self.random.randint(1, len(page))] if page and self.random.random() < 0.4 else page


def random_id(random: Random, letters: str) -> str:
    return "".join(random.choices(letters, k=random.randint(1, random.choice([2, 4, 10]))))


@pytest.mark.parametrize("seed", range(6))
def test_no_group_is_lost_or_doubled_in_silence(seed: int) -> None:
    random = Random(seed)
    whole = 0
    for _ in range(HISTORIES):
        letters = random.choice([ALPHABET, "0a-", "01"])
        ids = {random_id(random, letters) for _ in range(random.randint(0, 25))}
        order = random.choice([*ORDERS, *[ordinal] * 6])
        top = random.randint(1, 8)
        model = ShortPages(ids, cap=random.randint(1, 8), key=order)
        model.random = random
        walk = Walk(Coverage(AnywhereSplitter(top, random)), model, top, random, workers=random.randint(1, 8))
        try:
            touched = walk_with_changes(walk, letters, changing=random.random() < 0.4)
        except OutOfOrder:
            continue  # found out: the plain walk decides
        whole += 1
        assert len(set(walk.ids)) == len(walk.ids)
        assert [group_id for group_id in walk.ids if group_id not in touched] == sorted(ids - touched)
    assert whole > HISTORIES / 2


def walk_with_changes(walk: Walk, letters: str, *, changing: bool) -> set[str]:
    """Walk to the end while groups come and go, each once at most, and return which."""
    random, model, before = walk.random, walk.model, set(walk.model.groups)
    touched: set[str] = set()
    while walk.step():
        if not changing or random.random() > 0.3:
            continue
        group_id = random.choice(sorted(model.groups)) if model.groups and random.random() < 0.5 else ""
        if group_id:
            model.remove(group_id)
            touched.add(group_id)
        elif (new := random_id(random, letters)) not in before | touched:
            model.put(new)
            touched.add(new)
    return touched
