"""How much of what is possible a listing of ordinary length makes of its budget, in virtual time."""

from random import Random
from statistics import mean

import msgspec
import pytest

from local.face_emulator.dynamic_groups import Shape, make_ids
from shared.face.page import ListedKind
from shared.snapshots.listing import forecast
from shared.snapshots.stored.manifest import ChangesBlob, DataBlob, Manifest
from tests.support.listing_simulation import TOP, simulate

PER_SECOND = 9.5
CHANGES = 500
PAGES = [30, 200, 1_000]
LATENCIES = [0.1, 0.5, 1.0, 2.0]
NIGHTS = 20


def night_before(count: int) -> Manifest:
    """Return a manifest that tells of as many changes as the next night will see."""
    return Manifest(
        kind=ListedKind.DYNAMIC_PERSON_GROUP,
        snapshot_id="20261120T030000Z",
        started_at="",
        finished_at="",
        source="",
        api_version="",
        includes_user_data=True,
        previous=None,
        calls=0,
        throttled=0,
        groups=DataBlob("", count, 0, "", ()),
        changes=ChangesBlob("", CHANGES, CHANGES, 0, 0, ""),
    )


def changed(ids: list[str], random: Random) -> list[str]:
    """Return the IDs with as many removed as added."""
    kept = set(ids) - set(random.sample(ids, CHANGES))
    return sorted(kept | set(make_ids("uniform", CHANGES, random)))


def starts(ids: list[str], previous: Manifest) -> list[str]:
    """Return the keys that the listing begins with."""
    return forecast.starts(ids, forecast.groups_per_call(previous, TOP), forecast.added(previous))


def possible(pages: int, latency: float) -> float:
    """Return the seconds that all pages take where each slot is used and no call is wasted."""
    return pages / PER_SECOND + latency


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("pages", PAGES)
def test_the_next_night_uses_nearly_all_of_what_is_possible(pages: int, latency: float) -> None:
    random = Random(5)
    ids = sorted(make_ids("uniform", pages * TOP, random))
    taken = simulate(changed(ids, random), starts(ids, night_before(len(ids))), per_second=PER_SECOND, latency=latency)
    assert possible(pages, latency) / taken.seconds >= 0.95


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("pages", PAGES)
def test_the_first_night_uses_most_of_what_is_possible(pages: int, latency: float) -> None:
    ids = sorted(make_ids("uniform", pages * TOP, Random(1)))
    taken = simulate(ids, [], per_second=PER_SECOND, latency=latency)
    assert possible(pages, latency) / taken.seconds >= 0.8


def test_nights_of_30_pages_use_as_much_where_pages_come_late_and_out_of_order() -> None:
    first: dict[float, list[float]] = {latency: [] for latency in LATENCIES}
    following: dict[float, list[float]] = {latency: [] for latency in LATENCIES}
    for seed in range(NIGHTS):
        random = Random(seed)
        ids = sorted(make_ids("uniform", 30 * TOP, random))
        keys, later = starts(ids, night_before(len(ids))), changed(ids, random)
        for latency in LATENCIES:
            for shares, listed, known in ((first, ids, []), (following, later, keys)):
                taken = simulate(listed, known, per_second=PER_SECOND, latency=latency, jitter=random)
                shares[latency].append(possible(30, latency) / taken.seconds)
    assert min(map(mean, first.values())) >= 0.8
    assert min(map(mean, following.values())) >= 0.95


def test_the_next_night_waits_for_no_more_where_the_last_group_is_gone() -> None:
    ids = sorted(make_ids("uniform", 30 * TOP, Random(1)))
    taken = simulate(ids[:-1], starts(ids, night_before(len(ids))), per_second=PER_SECOND, latency=2.0)
    assert possible(30, 2.0) / taken.seconds >= 0.95


@pytest.mark.parametrize("shape", ["uniform", "counter", "clusters", "long"])
def test_the_first_night_wastes_few_calls_on_200_pages_of_any_shape(shape: Shape) -> None:
    ids = sorted(make_ids(shape, 200 * TOP, Random(1)))
    assert simulate(ids, [], per_second=None, latency=0.1).calls / 200 <= 1.05


@pytest.mark.parametrize("shape", ["uniform", "counter", "clusters", "long"])
@pytest.mark.parametrize("changes", [None, night_before(1).changes])
def test_the_next_night_wastes_few_calls_on_200_pages_of_any_shape(shape: Shape, changes: ChangesBlob | None) -> None:
    random = Random(1)
    ids = sorted(make_ids(shape, 200 * TOP, random))
    previous = msgspec.structs.replace(night_before(len(ids)), changes=changes)
    assert simulate(changed(ids, random), starts(ids, previous), per_second=None, latency=0.1).calls / 200 <= 1.05


@pytest.mark.parametrize("shape", ["counter", "clusters"])
def test_the_first_night_lists_side_by_side_whatever_the_shape(shape: Shape) -> None:
    ids = sorted(make_ids(shape, 1_000 * TOP, Random(1)))
    taken = simulate(ids, [], per_second=PER_SECOND, latency=1.0)
    assert possible(1_000, 1.0) / taken.seconds >= 0.85


def test_starts_share_the_list_and_end_with_its_last_id() -> None:
    ids = [f"{number:04}" for number in range(1_000)]
    assert forecast.starts(ids, 400, added=0) == ["0399", "0799", "0999"]
    assert forecast.starts(ids[:3], 400, added=0) == ["0002"]
    assert forecast.starts([], 400, added=0) == []


def test_a_page_with_a_wide_gap_has_room_for_what_may_have_been_added_there() -> None:
    ids = [*(f"b{number:04}" for number in range(1_000)), *(f"u{number:04}" for number in range(1_000))]
    calm, busy = (forecast.starts(ids, 600, added=added) for added in (0, 200))
    assert calm == ["b0599", "u0199", "u0799", "u0999"]
    assert busy[0] < "b0500"
    assert busy[1] < "u0100"


def test_what_changes_much_leaves_more_room_on_its_pages() -> None:
    calm = msgspec.structs.replace(night_before(1_000_000), changes=ChangesBlob("", 1, 1, 0, 0, ""))
    first = msgspec.structs.replace(night_before(1_000_000), changes=None)
    assert forecast.groups_per_call(calm, TOP) == 995
    assert forecast.groups_per_call(night_before(30_000), TOP) == 976
    assert forecast.groups_per_call(first, TOP) == 980


def test_a_list_that_has_shrunk_is_not_taken_to_go_on_so() -> None:
    shrunk = msgspec.structs.replace(night_before(30_000), changes=ChangesBlob("", 0, CHANGES, 0, 0, ""))
    assert forecast.groups_per_call(shrunk, TOP) == 983
