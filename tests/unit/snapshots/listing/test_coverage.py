from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.face_emulator.dynamic_groups import Shape, make_ids
from shared.snapshots.errors import OutOfOrder
from shared.snapshots.listing.coverage import NOTHING, Call, Coverage
from shared.snapshots.listing.key_range import KeyRange
from shared.snapshots.listing.splitting import Split, Splitter, Standing
from tests.support.directory_model import ALPHABET, DirectoryModel

IDS = st.sets(st.text(ALPHABET, min_size=1, max_size=12) | st.text(ALPHABET, min_size=60, max_size=64), max_size=120)
CROWDED_IDS = st.builds(
    lambda prefix, tails: {prefix + tail for tail in tails},
    st.text(ALPHABET, max_size=20),
    st.sets(st.text("01a", min_size=1, max_size=7), max_size=150),
)
ANY_IDS = IDS | CROWDED_IDS


class AnywhereSplitter(Splitter):
    """Split wherever `random` says, for a bad choice may cost a call, but never a group."""

    def __init__(self, top: int, random: Random) -> None:
        super().__init__(top, [])
        self._random = random

    def choose(self, ranges: Sequence[KeyRange], standing: Standing) -> Split | None:
        usual = super().choose(ranges, standing)
        places = [place for place, each in enumerate(ranges) if not each.done]
        if usual or not places or len(ranges) > 40:
            return usual
        place = self._random.choice(places)
        key = ranges[place].cursor[: self._random.randint(0, 3)] + "".join(self._random.choices(ALPHABET, k=3))
        following = ranges[place + 1] if place + 1 < len(ranges) else None
        if key <= ranges[place].cursor or (following and key >= (following.first or following.cursor)):
            return None
        return Split(place, key, guess=self._random.random() < 0.5)


class Walk:
    """List a model by ranges; the calls under way end in an order that `random` chooses."""

    def __init__(self, ranges: Coverage, model: DirectoryModel, top: int, random: Random, workers: int = 8) -> None:
        self.ranges = ranges
        self.model = model
        self.top = top
        self.random = random
        self.workers = workers
        self.kept: list[tuple[str, list[str]]] = []
        self._under_way: list[tuple[Call, list[str]]] = []

    @property
    def ids(self) -> list[str]:
        return sorted(group_id for _, ids in self.kept for group_id in ids)

    def step(self) -> bool:
        """Start what can be started, let one call end, and tell whether there was one."""
        while len(self._under_way) < self.workers:
            no_slot_comes = self._under_way and self.random.random() < 0.1
            call = None if no_slot_comes else self.ranges.next_call()
            if call is None:
                break
            self._under_way.append((call, self.model.ids_behind(call.after, self.top)))
        if not self._under_way:
            return False
        call, ids = self._under_way.pop(self.random.randrange(len(self._under_way)))
        kept = self.ranges.page_arrived(call, ids)
        if kept.begin < kept.end:
            self.kept.append((kept.after, ids[kept.begin : kept.end]))
        return True

    def to_the_end(self) -> list[str]:
        while self.step():
            pass
        assert self.ranges.finished
        return self.ids


@given(ANY_IDS, st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_every_group_is_listed_exactly_once_whatever_its_id(ids: set[str], top: int, cap: int, random: Random) -> None:
    walk = Walk(Coverage(AnywhereSplitter(top, random)), DirectoryModel(ids, cap=cap), top, random)
    assert walk.to_the_end() == sorted(ids)


@given(ANY_IDS, st.lists(st.text(ALPHABET, min_size=1, max_size=64)), st.integers(1, 20), st.randoms())
def test_an_old_map_however_wrong_loses_and_doubles_nothing(
    ids: set[str], keys: list[str], top: int, random: Random
) -> None:
    map_keys = sorted({*keys, *random.sample(sorted(ids), len(ids) // 3)})
    walk = Walk(Coverage(Splitter(top, map_keys)), DirectoryModel(ids), top, random)
    assert walk.to_the_end() == sorted(ids)


@given(ANY_IDS, st.integers(1, 10), st.data(), st.randoms(use_true_random=False))
def test_groups_that_nobody_touches_are_there_once_while_others_come_and_go(
    ids: set[str], top: int, data: st.DataObject, random: Random
) -> None:
    fleeting = data.draw(st.sets(st.sampled_from(sorted(ids)))) if ids else set()
    coming = data.draw(st.sets(st.text(ALPHABET, min_size=1, max_size=8))) - ids
    model = DirectoryModel(ids)
    walk = Walk(Coverage(AnywhereSplitter(top, random)), model, top, random)
    try:
        while walk.step():
            if fleeting and random.random() < 0.3:
                model.remove(fleeting.pop())
            if coming and random.random() < 0.3:
                model.put(coming.pop())
    except OutOfOrder:
        # The end of the list was deleted while it was read: the plain walk decides.
        return
    touched = ids - model.groups.keys() | (model.groups.keys() - ids)
    assert [group_id for group_id in walk.ids if group_id not in touched] == sorted(ids - touched)
    assert len(set(walk.ids)) == len(walk.ids)


@given(ANY_IDS, st.integers(1, 10), st.integers(0, 20), st.data(), st.randoms(use_true_random=False))
def test_what_a_died_run_has_stored_is_gone_on_with(
    ids: set[str], top: int, steps: int, data: st.DataObject, random: Random
) -> None:
    model = DirectoryModel(ids)
    died = Walk(Coverage(AnywhereSplitter(top, random)), model, top, random)
    for _ in range(steps):
        died.step()
    stored = [part for part in sorted(died.kept, key=lambda part: part[1]) if data.draw(st.booleans())]
    listed = [(after, part[:4], part[-1]) for after, part in stored]
    resumed = Walk(Coverage(AnywhereSplitter(top, random), listed=listed), model, top, random)
    assert sorted([*resumed.to_the_end(), *(group_id for _, part in stored for group_id in part)]) == sorted(ids)


def _without_punctuation(group_id: str) -> str:
    return group_id.replace("-", "").replace("_", "") + "\0" + group_id


@given(ANY_IDS, st.integers(1, 10), st.randoms(use_true_random=False))
def test_another_order_than_the_ordinal_one_is_found_out_or_does_no_harm(
    ids: set[str], top: int, random: Random
) -> None:
    model = DirectoryModel(ids, key=_without_punctuation)
    walk = Walk(Coverage(AnywhereSplitter(top, random)), model, top, random)
    try:
        listed = walk.to_the_end()
    except OutOfOrder:
        return
    assert listed == sorted(ids)


@pytest.mark.parametrize(
    "page", [["b", "a"], ["a", "a"], ["-", "a"]], ids=["descending", "repeated", "before the cursor"]
)
def test_a_page_that_is_not_in_order_is_refused(page: list[str]) -> None:
    ranges = Coverage(Splitter(2, []))
    first = ranges.next_call()
    assert first is not None
    ranges.page_arrived(first, ["-", "0"])
    call = ranges.next_call()
    assert call is not None
    with pytest.raises(OutOfOrder, match="ordinal order"):
        ranges.page_arrived(call, page)


def test_an_empty_page_before_groups_that_were_seen_is_refused() -> None:
    ranges = Coverage(Splitter(10, []), listed=[("", ["a", "b"], "b"), ("m", ["n", "o"], "o")])
    calls = [ranges.next_call(), ranges.next_call()]
    first = next(call for call in calls if call and call.after == "b")
    with pytest.raises(OutOfOrder, match="later groups"):
        ranges.page_arrived(first, [])


def test_a_guess_before_the_first_group_is_forgotten_as_soon_as_that_is_known() -> None:
    walk = Coverage(Splitter(3, []))
    first = walk.next_call(1.0)
    guesses = [walk.next_call(1.0) for _ in range(4)]
    early = next(each for each in guesses if each and each.after < "g")
    assert first
    walk.page_arrived(first, ["g0", "g1", "g2"])
    following = walk.next_call()
    assert following
    assert following.after == "g2"
    assert walk.page_arrived(early, ["g0", "g1", "g2"]) == NOTHING


def test_ranges_that_do_not_fit_together_are_refused() -> None:
    class SplitAtM(Splitter):
        def choose(self, ranges: Sequence[KeyRange], standing: Standing) -> Split:  # noqa: ARG002 - inherited
            return Split(0, "m", guess=False)

    ranges = Coverage(SplitAtM(3, []))
    left, right = ranges.next_call(), ranges.next_call()
    assert left
    assert right
    ranges.page_arrived(right, ["p", "q"])
    with pytest.raises(OutOfOrder, match="fit together"):
        # The service has "z" before "m", or the range behind "m" would have brought it.
        ranges.page_arrived(left, ["a", "b", "z"])


def test_a_page_however_short_is_not_the_end_and_an_empty_one_is() -> None:
    ranges = Coverage(Splitter(1_000, []))
    call = ranges.next_call()
    assert call is not None
    ranges.page_arrived(call, ["a"])
    assert not ranges.finished
    call = ranges.next_call()
    assert call is not None
    assert call.after == "a"
    ranges.page_arrived(call, [])
    assert ranges.finished


def test_one_group_takes_a_call_and_one_that_finds_no_more() -> None:
    model = DirectoryModel(["the-only-group"])
    assert Walk(Coverage(Splitter(1000, [])), model, 1000, Random(1)).to_the_end() == ["the-only-group"]
    assert model.calls == 2


def test_a_list_that_yesterdays_map_describes_costs_no_call_too_many() -> None:
    ids = sorted(make_ids("uniform", 3_000, Random(1)))
    model = DirectoryModel(ids)
    ranges = Coverage(Splitter(10, ids[9:-1:10]))
    assert Walk(ranges, model, 10, Random(1)).to_the_end() == ids
    assert model.calls <= 300 * 1.03


@pytest.mark.parametrize("mapped", [False, True], ids=["first", "mapped"])
@pytest.mark.parametrize("shape", ["uniform", "counter", "clusters", "long"])
def test_listing_side_by_side_wastes_hardly_a_call_on_ids_of_any_shape(shape: Shape, mapped: bool) -> None:
    ids = sorted(make_ids(shape, 30_000, Random(1)))
    model = DirectoryModel(ids)
    # Pages of 30, so that the list has as many pages as the largest that the service can hold.
    ranges = Coverage(Splitter(30, ids[29:-1:30] if mapped else []))
    assert Walk(ranges, model, 30, Random(2), workers=20).to_the_end() == ids
    assert model.calls / 1_000 <= 1.05


@pytest.mark.parametrize("shape", ["uniform", "counter"])
def test_a_short_list_is_not_split_more_than_it_is_worth(shape: Shape) -> None:
    ids = sorted(make_ids(shape, 3_000, Random(1)))
    model = DirectoryModel(ids)
    ranges = Coverage(Splitter(30, []))
    assert Walk(ranges, model, 30, Random(2), workers=32).to_the_end() == ids
    assert model.calls / 100 <= 1.08
