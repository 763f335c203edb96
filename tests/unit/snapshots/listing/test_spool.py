import errno
import os
from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.face_emulator.dynamic_groups import make_ids
from shared.face.page import ListedKind
from shared.snapshots.errors import LeaseLost, ListingStuck, OutOfDisk
from shared.snapshots.listing.lines import group_id_reader
from shared.snapshots.listing.pages import Page
from shared.snapshots.listing.spool import list_unordered
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.progress import Origin, Progress, StagedPart
from tests.support.directory_model import ALPHABET, DirectoryModel, line

BEGUN = Progress(
    "20261120T030000Z", "run", "2026-11-20T03:00:00.000Z", Origin("http://localhost", "v1.2-preview.1", True)
)
read_id = group_id_reader(ListedKind.DYNAMIC_PERSON_GROUP)
ORDERS: dict[str, Callable[[str], str]] = {
    "ordinal": lambda group_id: group_id,
    "backwards": lambda group_id: "".join(chr(200 - ord(letter)) for letter in group_id) + "\xff",
    "punctuation last": lambda group_id: group_id.replace("-", "") + "\0" + group_id,
}


class Reader:
    def __init__(self, read: Callable[[str], Page]) -> None:
        self.read = read

    def stop(self) -> None:
        pass


class Stage:
    """Keep the staged groups."""

    def __init__(self) -> None:
        self.groups: dict[str, bytes] = {}

    def __call__(self, after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
        self.groups.update(zip(ids, lines, strict=True))
        return StagedPart.of(ids[0], 1, after, ids)


def pages(*ids: list[str]) -> Reader:
    answers = iter([*ids, []])

    def read(_: str) -> Page:
        page = next(answers)
        return Page(page, [line(group_id) for group_id in page], calls=2, throttled=1, end=page[-1] if page else "")

    return Reader(read)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@given(st.sets(st.text(ALPHABET, min_size=1, max_size=6), max_size=40), st.integers(1, 10))
def test_groups_in_any_order_are_staged_sorted(order: Callable[[str], str], ids: set[str], top: int) -> None:
    model, stage = DirectoryModel(ids, key=order), Stage()
    done = list_unordered(Reader(lambda after: model.page(after, top)), stage, BEGUN, lambda: None, read_id)
    assert list(stage.groups) == sorted(ids)
    assert stage.groups == model.groups
    assert done.complete
    assert sum(part.count for part in done.parts) == len(ids)


def test_groups_that_come_again_are_there_once_and_the_calls_are_counted() -> None:
    stage = Stage()
    done = list_unordered(pages(["b", "c"], ["c", "a"]), stage, BEGUN, lambda: None, read_id)
    assert list(stage.groups) == ["a", "b", "c"]
    assert (done.calls, done.throttled) == (6, 3)


def test_a_page_that_brings_nothing_new_ends_in_an_error() -> None:
    with pytest.raises(ListingStuck, match="brings nothing new"):
        list_unordered(pages(["b", "c"], ["c", "b"]), Stage(), BEGUN, lambda: None, read_id)


def test_a_lost_lease_ends_the_walk() -> None:
    def lost() -> None:
        raise LeaseLost("lost")

    with pytest.raises(LeaseLost):
        list_unordered(pages(["a"]), Stage(), BEGUN, lost, read_id)


def test_a_disk_that_is_full_ends_in_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(OutOfDisk, match=r"No space left on device.*larger instance"):
        list_unordered(pages(["b", "a"]), Stage(), BEGUN, lambda: None, read_id)


def test_the_disk_holds_little_more_than_the_compressed_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("shared.snapshots.listing.spool._RUN_BYTES", 200_000)  # many runs
    model, stage = DirectoryModel(make_ids("uniform", 20_000, Random(1)), key=lambda group_id: group_id[::-1]), Stage()
    on_disk: list[int] = []

    def noting(after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
        on_disk.append(sum(file.stat().st_size for file in tmp_path.rglob("*.gz")))
        return stage(after, ids, lines)

    list_unordered(Reader(lambda after: model.page(after, 1_000)), noting, BEGUN, lambda: None, read_id)
    parts = (pack(lines) for lines in batched(stage.groups.values(), 1_000, strict=False))
    assert 0 < max(on_disk) <= 1.2 * sum(map(len, parts))


def test_a_walk_that_does_not_end_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.snapshots.listing.spool.MAX_LISTED", 3)
    with pytest.raises(ListingStuck, match="does not end"):
        list_unordered(pages(["b", "a"], ["d", "c"], ["e"]), Stage(), BEGUN, lambda: None, read_id)
