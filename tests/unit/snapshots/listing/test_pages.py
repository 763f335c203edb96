from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pytest

from shared.face.errors import (
    BadRequest,
    FaceError,
    GroupNotFound,
    InvalidResponse,
    ServerFault,
    Throttled,
    Unauthorized,
    Unreachable,
)
from shared.face.page import ListedGroup
from shared.snapshots.listing.pages import PageReader

if TYPE_CHECKING:
    from shared.face.client import FaceClient

GROUP = ListedGroup("a", b'{"dynamicPersonGroupId":"a","name":"n","userData":"secret"}')


class Service:
    """Answer as a `FaceClient` that meets one trouble after the other, and then has a group."""

    def __init__(self, troubles: Sequence[FaceError]) -> None:
        self.troubles = list(troubles)
        self.asked: list[tuple[str, int]] = []

    def dynamic_person_groups(self, start: str = "", top: int = 1000) -> list[ListedGroup]:
        self.asked.append((start, top))
        if self.troubles:
            raise self.troubles.pop(0)
        return [GROUP]


def reader(service: Service, *, patience: float = 60.0, include_user_data: bool = True) -> PageReader:
    return PageReader(
        cast("FaceClient", service), top=7, include_user_data=include_user_data, patience=patience, clock=lambda: 0.0
    )


def test_a_page_is_asked_for_again_until_it_is_there_and_its_calls_are_counted() -> None:
    troubles = [
        Throttled("slow down", wait=0.0),
        ServerFault("503", wait=0.0),
        Unreachable("cut", wait=0.0),
        InvalidResponse("HTML", wait=0.0),
    ]
    service = Service(troubles)
    page = reader(service).read("0")
    assert (page.ids, page.lines, page.calls, page.throttled) == (["a"], [GROUP.body], 5, 1)
    assert service.asked == [("0", 7)] * 5


@pytest.mark.parametrize("refusal", [Unauthorized("401"), GroupNotFound("404"), BadRequest("'start' is too long.")])
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
