"""How much of what is possible a listing of ordinary length makes of its budget, in virtual time."""

from random import Random

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


def possible(pages: int, latency: float) -> float:
    """Return the seconds that all pages take where each slot is used and no call is wasted."""
    return pages / PER_SECOND + latency


@pytest.mark.parametrize("latency", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("pages", PAGES)
def test_the_next_night_uses_nearly_all_of_what_is_possible(pages: int, latency: float) -> None:
    random = Random(5)
    ids = sorted(make_ids("uniform", pages * TOP, random))
    starts = forecast.starts(ids, len(ids), forecast.groups_per_call(night_before(len(ids)), TOP))
    taken = simulate(changed(ids, random), starts, per_second=PER_SECOND, latency=latency)
    assert possible(pages, latency) / taken.seconds >= 0.95


@pytest.mark.parametrize("latency", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("pages", PAGES[1:])
def test_the_first_night_uses_most_of_what_is_possible(pages: int, latency: float) -> None:
    ids = sorted(make_ids("uniform", pages * TOP, Random(1)))
    taken = simulate(ids, [], per_second=PER_SECOND, latency=latency)
    assert possible(pages, latency) / taken.seconds >= 0.8


@pytest.mark.parametrize("shape", ["uniform", "counter", "clusters", "long"])
def test_the_first_night_wastes_few_calls_on_200_pages_of_any_shape(shape: Shape) -> None:
    ids = sorted(make_ids(shape, 200 * TOP, Random(1)))
    assert simulate(ids, [], per_second=None, latency=0.1).calls / 200 <= 1.05


def test_starts_share_the_list_evenly_and_end_with_its_last_id() -> None:
    ids = [f"{number:04}" for number in range(1_000)]
    assert forecast.starts(ids, 1_000, 400) == ["0333", "0666", "0999"]
    assert forecast.starts(ids[:3], 3, 400) == ["0002"]
    assert forecast.starts([], 0, 400) == []


def test_what_changes_much_leaves_more_room_on_its_pages() -> None:
    calm = msgspec.structs.replace(night_before(1_000_000), changes=ChangesBlob("", 1, 1, 0, 0, ""))
    first = msgspec.structs.replace(night_before(1_000_000), changes=None)
    assert forecast.groups_per_call(calm, TOP) == 995
    assert forecast.groups_per_call(night_before(30_000), TOP) == 976
    assert forecast.groups_per_call(first, TOP) == 970
