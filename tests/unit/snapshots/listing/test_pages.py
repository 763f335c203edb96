from collections.abc import Sequence

import pytest

from shared.face.errors import (
    BadRequest,
    FaceError,
    InvalidResponse,
    ServerFault,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
    Unreachable,
)
from shared.face.page import ListedGroup, ListedKind
from shared.snapshots.errors import ListingStuck
from shared.snapshots.listing.pages import PageReader, Retry
from shared.snapshots.stored.manifest import Unreadable

GROUP = b'{"dynamicPersonGroupId":"a","name":"n","userData":"secret"}'


class Service:
    """A service that meets one trouble after the other, and then has a group."""

    def __init__(self, troubles: Sequence[FaceError]) -> None:
        self.troubles = list(troubles)
        self.asked: list[tuple[str, int]] = []

    def groups(self, kind: ListedKind, start: str = "", top: int = 1000) -> list[ListedGroup]:  # noqa: ARG002 - all the same
        self.asked.append((start, top))
        if self.troubles:
            raise self.troubles.pop(0)
        return [ListedGroup("a", GROUP), ListedGroup("b", b"", "not UTF-8")]


def reader(service: Service, *, patience: float = 60.0, include_user_data: bool = True) -> PageReader:
    retry = Retry(patience, clock=lambda: 0.0)
    return PageReader(service, ListedKind.DYNAMIC_PERSON_GROUP, top=7, include_user_data=include_user_data, retry=retry)


def test_a_page_is_asked_for_again_until_it_is_there_and_its_calls_are_counted() -> None:
    troubles = [
        Throttled("slow down", wait=0.0),
        ServerFault("503", wait=0.0),
        Unreachable("cut", wait=0.0),
        InvalidResponse("HTML", wait=0.0),
    ]
    service = Service(troubles)
    page = reader(service).read("0")
    assert (page.ids, page.lines, page.calls, page.throttled) == (["a"], [GROUP], 5, 1)
    assert service.asked == [("0", 7)] * 5


@pytest.mark.parametrize(
    "refusal", [Unauthorized("401"), UndocumentedNotFound("404"), BadRequest("'start' is too long.")]
)
def test_a_refusal_is_raised_at_once(refusal: FaceError) -> None:
    service = Service([refusal])
    with pytest.raises(type(refusal)):
        reader(service).read("")
    assert len(service.asked) == 1


def test_a_wait_beyond_the_patience_is_not_waited_for() -> None:
    service = Service([Throttled("come back tomorrow", wait=86_400.0)])
    with pytest.raises(Throttled, match="tomorrow"):
        reader(service, patience=600).read("")
    assert len(service.asked) == 1


def test_a_reader_that_was_stopped_waits_no_more() -> None:
    service = Service([ServerFault("503", wait=30.0)])
    stopped = reader(service)
    stopped.stop()
    with pytest.raises(ServerFault):
        stopped.read("")


def test_user_data_is_left_out_where_it_is_switched_off() -> None:
    assert reader(Service([]), include_user_data=False).read("").lines == [b'{"dynamicPersonGroupId":"a","name":"n"}']


def test_a_group_that_is_not_text_is_named_and_stops_no_other() -> None:
    page = reader(Service([])).read("")
    assert page.ids == ["a"]
    assert page.unreadable == [Unreadable("b", "not UTF-8")]
    assert page.end == "b"


class Unreadables(Service):
    """A service with short pages, many of whose groups are unreadable."""

    def __init__(self, *pages: str) -> None:
        super().__init__([])
        self.pages = [*pages, ""]

    def groups(self, kind: ListedKind, start: str = "", top: int = 1000) -> list[ListedGroup]:  # noqa: ARG002 - likewise
        self.asked.append((start, top))
        page = next((page for page in self.pages if page > start), "")
        return [ListedGroup(each, GROUP, None if each in "az" else "not UTF-8") for each in page]


def test_a_page_of_which_nothing_is_readable_is_not_the_end_of_the_list() -> None:
    service = Unreadables("bc", "d", "ez")
    page = reader(service).read("a")
    assert (page.ids, page.calls, page.end) == (["z"], 3, "z")
    assert [each.group_id for each in page.unreadable] == ["b", "c", "d", "e"]
    assert [start for start, _ in service.asked] == ["a", "c", "d"]


def test_unreadable_groups_at_the_end_of_the_list_are_named() -> None:
    page = reader(Unreadables("bc", "d")).read("a")
    assert (page.ids, page.calls, page.end) == ([], 3, "d")
    assert [each.group_id for each in page.unreadable] == ["b", "c", "d"]


def test_unreadable_pages_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.snapshots.listing.pages.MAX_UNREADABLE", 3)
    with pytest.raises(ListingStuck, match="more than 3 groups"):
        reader(Unreadables("b", "c", "d", "e", "f")).read("a")
