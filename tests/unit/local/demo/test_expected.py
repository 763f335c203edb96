"""The demo sees each way in which an event can be other than expected."""

from typing import Any

import pytest

from local.demo.cases import Case
from local.demo.expected import find_problems
from local.demo.watch_table import Enqueued
from local.stack import Event

SOURCE = "http://127.0.0.1:1"
SUCCEEDS = Enqueued(Case("ID", "staff", "succeeded", "largePersonGroup/staff"), "message-1")
REJECTED = Enqueued(Case("no request", "No!", "rejected", None), "message-2")


def event(**changes: Any) -> Event:
    """Return the event that is expected of SUCCEEDS, with fields changed; ``data__`` begins the names of its data."""
    data = {
        "kind": "largePersonGroup",
        "groupId": "staff",
        "outcome": "succeeded",
        "correlationId": None,
        "error": None,
    }
    data |= {name.removeprefix("data__"): value for name, value in changes.items() if name.startswith("data__")}
    return {
        "specversion": "1.0",
        "id": "20261120T100000Z-message-1",
        "source": f"{SOURCE}/largepersongroups/staff",
        "type": "face.training.succeeded",
        "subject": "largePersonGroup/staff",
        "datacontenttype": "application/json",
        **{name: value for name, value in changes.items() if not name.startswith("data__")},
        "data": data,
    }


def rejection() -> Event:
    """Return the event that is expected of REJECTED."""
    rejected = event(id="of its own", type="face.training.rejected", source=SOURCE, data__outcome="rejected")
    del rejected["subject"]
    return {**rejected, "data": {**rejected["data"], "body": "No!", "error": "'No!' is no group ID"}}


def test_events_as_expected_are_no_problem() -> None:
    assert find_problems([SUCCEEDS, REJECTED], [rejection(), event()], SOURCE) == []


def test_an_event_that_is_repeated_is_no_problem() -> None:
    assert find_problems([SUCCEEDS], [event(), event()], SOURCE) == []


def test_a_missing_event_is_a_problem() -> None:
    assert find_problems([SUCCEEDS, REJECTED], [event()], SOURCE) == [
        "no request (No!): expected rejected, but there was no event"
    ]


def test_two_different_events_are_a_problem() -> None:
    problems = find_problems([SUCCEEDS], [event(), event(time="later")], SOURCE)
    assert problems == ["ID (largePersonGroup/staff): expected one event, found different ones"]


def test_an_event_that_nobody_asked_for_is_a_problem() -> None:
    (problem,) = find_problems([SUCCEEDS], [event(), event(id="20261120T100000Z-another")], SOURCE)
    assert "nobody asked for" in problem


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"type": "face.training.failed"},
        {"subject": "largePersonGroup/other"},
        {"source": SOURCE},
        {"datacontenttype": None},
        {"data__kind": "personGroup"},
        {"data__groupId": "other"},
        {"data__outcome": "failed"},
        {"data__correlationId": "import-1"},
        {"data__error": "a reason"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_field_counts(change: dict[str, Any]) -> None:
    assert len(find_problems([SUCCEEDS], [event(**change)], SOURCE)) == 1
