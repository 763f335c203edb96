"""The demo's table: what it shows of a request, on terminals of every width."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from local.demo.cases import Case, make_cases
from local.demo.watch_table import Enqueued, Row, draw, make_rows, read_records

if TYPE_CHECKING:
    from azure.data.tables import TableClient

CASES = make_cases("2026-11-20T10:00:00Z")


def lines(drawn: list[Row], width: int) -> list[str]:
    """Return the table's lines on a terminal of so many columns."""
    console = Console(width=width, file=StringIO(), force_terminal=False)
    console.print(draw(drawn, width))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 110, 120, 200])
def test_every_outcome_is_whole_in_a_line_of_its_own(width: int) -> None:
    rows = [Row(case, "request-1", 12, "LargePersonGroupNotTrained", None, case.expected) for case in CASES]
    drawn = lines(rows, width)
    assert max(map(len, drawn)) <= width
    told = [
        line.split()[-1] for line in drawn if line.split() and line.split()[-1] in {case.expected for case in CASES}
    ]
    assert told == [case.expected for case in CASES]


def test_at_80_columns_groups_and_responses_are_whole() -> None:
    case = Case("never trained", "untrained", "notTrained", "largePersonGroup/night-shift")
    text = "\n".join(lines([Row(case, "request-1", 12, "LargePersonGroupNotTrained", None, "notTrained")], 80))
    assert "largePersonGroup/night-shift" in text
    assert "LargePersonGroupNotTrained" in text


def test_a_wide_terminal_shows_the_form_and_the_next_poll() -> None:
    text = "\n".join(lines([Row(CASES[0], "request-1", 1, "running", 3.2)], 120))
    assert CASES[0].form in text
    assert "3 s" in text


GROUP = "largePersonGroup:staff"
REQUEST_ID = "20261120T100000Z-m-1"
RUNNING = {
    "PartitionKey": GROUP,
    "RowKey": "!watch",
    "polls": 5,
    "training": '{"status": "running"}',
    "nextPollAt": datetime.now(UTC) + timedelta(minutes=1),
}


def row_of(*entities: dict[str, Any], ended: dict[str, str] | None = None) -> Row:
    """Return the row of a case whose message has the ID ``m-1``, of what the app's table holds."""
    table = cast("TableClient", SimpleNamespace(list_entities=lambda: entities))
    (row,) = make_rows([Enqueued(CASES[0], "m-1")], read_records(table), ended or {})
    return row


def test_a_request_whose_message_waits_has_no_record() -> None:
    assert row_of(RUNNING).state == "enqueued (ID)"


def test_a_request_that_has_joined_counts_its_own_polls() -> None:
    joined = {"PartitionKey": GROUP, "RowKey": f"open!{REQUEST_ID}", "requestId": REQUEST_ID, "pollsBefore": 5}
    assert row_of(RUNNING, joined).state == "has joined the group's watch"
    due = datetime.now(UTC) + timedelta(minutes=1)
    later = row_of(RUNNING | {"polls": 7, "nextPollAt": due}, joined)
    assert later.state == "poll 2: running"
    assert later.next_poll == pytest.approx(60, abs=30)


@pytest.mark.parametrize(
    ("training", "error", "response"),
    [
        ({"status": "failed"}, {"code": None, "message": "No faces."}, "failed"),
        (None, {"code": "PersonGroupNotFound", "message": "…"}, "PersonGroupNotFound"),
        (None, None, ""),
    ],
)
def test_an_ended_request_is_shown_as_its_event_tells_it(training: object, error: object, response: str) -> None:
    data = {"polls": 3, "training": training, "error": error, "outcome": "failed"}
    event = json.dumps({"data": data}).encode()
    told = {"PartitionKey": GROUP, "RowKey": "told!79738879T899999Z-m-1", "requestId": REQUEST_ID, "event": event}
    assert row_of(RUNNING, told) == Row(CASES[0], REQUEST_ID, 3, response, None, "failed")


def test_a_rejected_body_has_no_record_but_its_event() -> None:
    assert row_of(ended={"m-1": "rejected"}) == Row(CASES[0], outcome="rejected")
