from collections.abc import Sequence

import pytest

from shared.face.errors import (
    BadRequest,
    FaceError,
    InvalidResponse,
    NotFound,
    ServerFault,
    Throttled,
    Unauthorized,
    Unreachable,
)
from shared.face.groups import ListedKind
from shared.snapshots.listing.pages import PageReader, Retry
from shared.snapshots.stored.manifest import Unreadable

GROUP = b'{"dynamicPersonGroupId":"a","name":"n","userData":"secret"}'


class Service:
    """A service that meets one trouble after the other, and then has a group."""

    def __init__(self, troubles: Sequence[FaceError], body: bytes = b"[" + GROUP + b"]") -> None:
        self.troubles = list(troubles)
        self.body = body
        self.asked: list[tuple[str, int]] = []

    def page(self, kind: ListedKind, start: str = "", top: int = 1000) -> bytes:  # noqa: ARG002 - all the same
        self.asked.append((start, top))
        if self.troubles:
            raise self.troubles.pop(0)
        return self.body


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


@pytest.mark.parametrize("refusal", [Unauthorized("401"), NotFound("404"), BadRequest("'start' is too long.")])
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


AWKWARD = {
    "a lone surrogate": b'{"dynamicPersonGroupId":"a","name":"n","userData":"\\ud800"}',
    "a number without end": b'{"dynamicPersonGroupId":"a","later":1e999}',
    "a number of many digits": b'{"dynamicPersonGroupId":"a","later":' + b"9" * 5_000 + b"}",
    "many levels": b'{"dynamicPersonGroupId":"a","later":' + b"[" * 500 + b"]" * 500 + b"}",
}


@pytest.mark.parametrize("awkward", AWKWARD.values(), ids=AWKWARD)
def test_a_group_of_awkward_json_is_kept_as_it_came_and_stops_no_other(awkward: bytes) -> None:
    page = reader(Service([], b"[" + awkward + b', {"dynamicPersonGroupId":"b"}]')).read("")
    assert page.ids == ["a", "b"]
    assert page.lines == [awkward, b'{"dynamicPersonGroupId":"b"}']
    assert page.unreadable == []


def test_a_group_that_is_not_text_is_named_and_stops_no_other() -> None:
    page = reader(Service([], b'[{"dynamicPersonGroupId":"a","userData":"\xff"},{"dynamicPersonGroupId":"b"}]')).read(
        ""
    )
    assert page.ids == ["b"]
    assert page.unreadable == [Unreadable("a", "UnicodeDecodeError")]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[1]",
        b'[{"dynamicPersonGroupId":7}]',
        b'[{"name":"n"}]',
        b'[{"dynamicPersonGroupId":"' + b"a" * 65 + b'"}]',
        b'[{"dynamicPersonGroupId":"\\ud800"}]',
        b'[{"dynamicPersonGroupId":"a","u":"\\ud800"} 7]',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_not_a_page_of_groups_is_asked_for_again_and_told_without_its_words(body: bytes) -> None:
    with pytest.raises(InvalidResponse, match="does not document") as caught:
        reader(Service([], body), patience=0.0).read("")
    assert "dynamicPersonGroupId" not in str(caught.value)


def test_line_breaks_of_a_pretty_page_do_not_reach_the_lines() -> None:
    page = reader(Service([], b'[\n  {\r\n    "dynamicPersonGroupId": "a"\n  }\n]\n')).read("")
    assert page.lines == [b'  {    "dynamicPersonGroupId": "a"  }'.strip()]
