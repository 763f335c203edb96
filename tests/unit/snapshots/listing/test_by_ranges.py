from collections.abc import Sequence
from random import Random
from threading import Condition, Lock
from types import SimpleNamespace

import msgspec
import pytest

from shared.face.errors import Unauthorized
from shared.snapshots.errors import LeaseLost, ListingStuck
from shared.snapshots.listing import by_ranges
from shared.snapshots.listing.by_ranges import RangeListing
from shared.snapshots.listing.coverage import Call, Coverage
from shared.snapshots.listing.pages import Page
from shared.snapshots.listing.splitting import Splitter
from shared.snapshots.stored.manifest import Unreadable
from shared.snapshots.stored.progress import Origin, Progress, StagedPart
from tests.support.directory_model import ALPHABET, DirectoryModel

BEGUN = Progress(
    "20261120T030000Z", "run", "2026-11-20T03:00:00.000Z", Origin("http://localhost", "v1.2-preview.1", True)
)


class ModelReader:
    """Read a model's pages of 10, and count how many are read at once."""

    def __init__(self, model: DirectoryModel) -> None:
        self.model = model
        self.stopped = False
        self.at_once = self.most_at_once = 0
        self._lock = Lock()

    def read(self, after: str) -> Page:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        with self._lock:
            page = self.model.page(after, 10)
            self.at_once -= 1
        return page

    def stop(self) -> None:
        self.stopped = True


def stage(after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
    return StagedPart.of(f"block of {ids[0]}", sum(map(len, lines)), after, ids)


def at_once() -> float:
    return 0.0


def no_checkpoint(progress: Progress) -> None:
    assert not progress.complete


def ids_of_any_kind(count: int) -> list[str]:
    random = Random(1)
    return sorted("".join(random.choices(ALPHABET, k=8)) for _ in range(count))


def test_the_parts_are_the_whole_list_in_order() -> None:
    ids = ids_of_any_kind(3_000)
    reader = ModelReader(DirectoryModel(ids))
    listing = RangeListing(reader, stage, keep_slot=at_once, checkpoint=no_checkpoint)
    done = listing.run(Coverage(Splitter(10, [])), BEGUN)
    assert done.complete
    assert sum(part.count for part in done.parts) == 3_000
    assert [part.first_id for part in done.parts] == sorted(part.first_id for part in done.parts)
    assert done.calls == reader.model.calls
    assert reader.stopped


def test_a_call_is_chosen_only_once_its_slot_has_come() -> None:
    kept = 0
    reader = ModelReader(DirectoryModel(ids_of_any_kind(500)))

    def keep_slot() -> float:
        nonlocal kept
        if reader.model.calls < kept:
            return 0.001
        kept += 1
        return 0.0

    class Counted(Coverage):
        def next_call(self, latency: float = 0.0) -> Call | None:
            assert reader.model.calls == kept - 1
            return super().next_call(latency)

    listing = RangeListing(reader, stage, keep_slot=keep_slot, checkpoint=no_checkpoint)
    listing.run(Counted(Splitter(10, [])), BEGUN)
    assert reader.most_at_once == 1


def test_the_first_error_ends_the_listing_and_all_waits() -> None:
    class Refused(ModelReader):
        def read(self, after: str) -> Page:
            if after > "m":
                raise Unauthorized("no", status=401)
            return super().read(after)

    reader = Refused(DirectoryModel(ids_of_any_kind(3_000)))
    listing = RangeListing(reader, stage, keep_slot=at_once, checkpoint=no_checkpoint)
    with pytest.raises(Unauthorized):
        listing.run(Coverage(Splitter(10, [])), BEGUN)
    assert reader.stopped


def test_an_error_of_the_storage_ends_the_listing() -> None:
    def failing(_after: str, _ids: Sequence[str], _lines: Sequence[bytes]) -> StagedPart:
        raise OSError("disk full")

    reader = ModelReader(DirectoryModel(ids_of_any_kind(100)))
    listing = RangeListing(reader, failing, keep_slot=at_once, checkpoint=no_checkpoint)
    with pytest.raises(OSError, match="disk full"):
        listing.run(Coverage(Splitter(10, [])), BEGUN)


def test_a_lost_lease_ends_the_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_progress: Progress) -> None:
        raise LeaseLost("lost")

    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    reader = ModelReader(DirectoryModel(ids_of_any_kind(100)))
    with pytest.raises(LeaseLost):
        RangeListing(reader, stage, keep_slot=at_once, checkpoint=lost).run(Coverage(Splitter(10, [])), BEGUN)


def test_progress_names_only_what_is_staged(monkeypatch: pytest.MonkeyPatch) -> None:
    staged: set[str] = set()
    seen: list[int] = []

    def noting(after: str, ids: Sequence[str], lines: Sequence[bytes]) -> StagedPart:
        part = stage(after, ids, lines)
        staged.add(part.block_id)
        return part

    def checkpoint(progress: Progress) -> None:
        assert {part.block_id for part in progress.parts} <= staged
        seen.append(len(progress.parts))

    monkeypatch.setattr("shared.snapshots.listing.by_ranges._SAVE_SECONDS", 0.0)
    reader = ModelReader(DirectoryModel(ids_of_any_kind(1_000)))
    RangeListing(reader, noting, keep_slot=at_once, checkpoint=checkpoint).run(Coverage(Splitter(10, [])), BEGUN)
    assert len(seen) > 10


def test_a_call_is_taken_to_last_as_long_as_most_of_the_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(by_ranges, "time", SimpleNamespace(monotonic=lambda: now))
    told: list[float] = []

    class Waiting(ModelReader):
        def read(self, after: str) -> Page:
            nonlocal now
            now += [3.0, 1.0, 1.0, 5.0, 1.0][self.model.calls % 5]
            return super().read(after)

    class Told(Coverage):
        def next_call(self, latency: float = 0.0) -> Call | None:
            told.append(latency)
            return super().next_call(latency)

    reader = Waiting(DirectoryModel(ids_of_any_kind(100)))
    listing = RangeListing(reader, stage, keep_slot=at_once, checkpoint=no_checkpoint, workers=1)
    listing.run(Told(Splitter(10, [])), BEGUN)
    assert sorted(set(told)) == [0.0, 1.0, 2.0, 3.0]
    assert told[-1] == 1.0


class Together(ModelReader):
    """Hold each call for a moment, until there is another one."""

    def __init__(self, model: DirectoryModel) -> None:
        super().__init__(model)
        self._more = Condition()

    def read(self, after: str) -> Page:
        with self._more:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self._more.notify_all()
            self._more.wait_for(lambda: self.at_once > 1, timeout=0.02)
            self.at_once -= 1
            return self.model.page(after, 10)


@pytest.mark.parametrize("memory", [1, 1_000_000])
def test_large_pages_are_fetched_fewer_at_once(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr("shared.snapshots.listing.by_ranges._PAGES_BYTES", memory)
    monkeypatch.setattr("shared.snapshots.listing.by_ranges.FIRST_CALLS", 1)
    ids = ids_of_any_kind(1_000)
    reader = Together(DirectoryModel(ids))
    listing = RangeListing(reader, stage, keep_slot=at_once, checkpoint=no_checkpoint)
    listing.run(Coverage(Splitter(10, ids[9:-1:10])), BEGUN)
    assert (reader.most_at_once > 1) is (memory > 1)


@pytest.mark.parametrize(
    ("limit", "most", "message"),
    [("MAX_LISTED", 1_000, "expected a list that ends"), ("MAX_PARTS", 1, "more than 1 parts")],
)
def test_a_list_beyond_what_can_be_ends_in_an_error(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int, message: str
) -> None:
    monkeypatch.setattr(f"shared.snapshots.listing.by_ranges.{limit}", most)
    listing = RangeListing(
        ModelReader(DirectoryModel(ids_of_any_kind(3_000))),
        stage,
        keep_slot=at_once,
        checkpoint=no_checkpoint,
    )
    with pytest.raises(ListingStuck, match=message):
        listing.run(Coverage(Splitter(10, [])), BEGUN)


def test_a_list_of_which_too_much_is_unreadable_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class NotText(ModelReader):
        def read(self, after: str) -> Page:
            page = super().read(after)
            unreadable = [Unreadable(group_id, "not UTF-8") for group_id in page.ids]
            return msgspec.structs.replace(page, ids=page.ids[-1:], lines=page.lines[-1:], unreadable=unreadable[:-1])

    monkeypatch.setattr("shared.snapshots.listing.by_ranges.MAX_UNREADABLE", 100)
    reader = NotText(DirectoryModel(ids_of_any_kind(300)))
    listing = RangeListing(reader, stage, keep_slot=at_once, checkpoint=no_checkpoint)
    with pytest.raises(ListingStuck, match="more than 100 groups"):
        listing.run(Coverage(Splitter(10, [])), BEGUN)
