import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.models import Training, decode_training
from shared.face.responses import error_from_response
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training.decide import End, Policy, decide
from shared.training.record import Outcome, Watch
from shared.training.report import ended_event, rejected_event
from shared.training.request import MAX_CORRELATION_ID_CHARS, Message, Rejection, parse_body
from shared.training.schedule import Bounds
from tests.support.builders import START, WATCH_ID, message, training, watch

if TYPE_CHECKING:
    from shared.face.errors import (
        FaceError,
    )

SOURCE = "https://faces.cognitiveservices.azure.com"
LONGEST_PROPERTY = 32_768
"""In UTF-16 units: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model."""


def event_of(ended: Watch, outcome: Outcome = Outcome.SUCCEEDED, **changes: Any) -> str:
    told: dict[str, Any] = {"at": START + timedelta(seconds=37.2), "error": None, "superseded_by": None, **changes}
    return ended_event(ended, outcome, source=SOURCE, **told)


def test_an_event_is_as_documented() -> None:
    ended = watch(polls=4, training=training("succeeded", last_action_date_time="2026-11-20T10:00:36Z"))
    assert json.loads(event_of(ended)) == {
        "specversion": "1.0",
        "id": WATCH_ID,
        "source": f"{SOURCE}/largepersongroups/my-group",
        "type": "face.training.succeeded",
        "subject": "largePersonGroup/my-group",
        "time": "2026-11-20T10:00:37.200Z",
        "datacontenttype": "application/json",
        "data": {
            "kind": "largePersonGroup",
            "groupId": "my-group",
            "outcome": "succeeded",
            "training": {
                "status": "succeeded",
                "createdDateTime": "2026-11-20T10:00:00.0000000Z",
                "lastActionDateTime": "2026-11-20T10:00:36Z",
            },
            "polls": 4,
            "watchedSeconds": 37.2,
            "correlationId": None,
            "error": None,
        },
    }


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_type_names_the_outcome(outcome: Outcome) -> None:
    event = json.loads(event_of(watch(correlation_id="order 7"), outcome, error="why"))
    assert event["type"] == f"face.training.{outcome.value}"
    assert event["data"] | {"outcome": outcome.value, "error": "why", "correlationId": "order 7"} == event["data"]
    assert event["data"]["training"] is None
    assert "supersededBy" not in event["data"]


def test_a_superseded_watch_names_the_newer_one() -> None:
    event = json.loads(event_of(watch(), Outcome.SUPERSEDED, superseded_by="20261120T100001Z-b"))
    assert event["data"]["supersededBy"] == "20261120T100001Z-b"


def test_a_clock_that_went_back_makes_no_negative_time() -> None:
    assert json.loads(event_of(watch(), at=START - timedelta(seconds=5)))["data"]["watchedSeconds"] == 0


@given(st.text(max_size=MAX_CORRELATION_ID_CHARS), st.text(max_size=50))
def test_an_event_is_ascii_on_one_line_whatever_it_says(correlation_id: str, error: str) -> None:
    event = event_of(watch(correlation_id=correlation_id), Outcome.FAILED, error=error)
    assert event.isascii()
    assert event.isprintable()
    data = json.loads(event)["data"]
    assert (data["correlationId"], data["error"]) == (correlation_id, error)


def rejected(body: str | bytes, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(rejected_event(message(body, **changes), "the reason", source=SOURCE))
    return event


def test_a_rejected_body_is_told_with_its_reason_and_when_it_was_enqueued() -> None:
    event = rejected("My Group")
    del event["id"]
    assert event == {
        "specversion": "1.0",
        "source": SOURCE,
        "type": "face.training.rejected",
        "time": "2026-11-20T10:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "kind": None,
            "groupId": None,
            "outcome": "rejected",
            "training": None,
            "polls": 0,
            "watchedSeconds": 0,
            "correlationId": None,
            "error": "the reason",
            "body": "My Group",
        },
    }


def test_a_redelivered_rejected_body_makes_the_same_event_byte_for_byte() -> None:
    assert rejected_event(message("My Group"), "why", source=SOURCE) == rejected_event(
        message("My Group"), "why", source=SOURCE
    )


def test_each_rejected_message_has_an_event_of_its_own_which_no_watch_can_have() -> None:
    ids = {
        rejected("My Group")["id"],
        rejected("My  Group")["id"],
        rejected("My Group", message_id="another")["id"],
        rejected(b"\xff")["id"],
        rejected("\ufffd")["id"],
        WATCH_ID,
    }
    assert len(ids) == 6


def test_at_most_256_characters_of_a_rejected_body_are_told() -> None:
    assert rejected("ä" * 300)["data"]["body"] == "ä" * 256
    assert rejected(b"\xff" * 300)["data"]["body"] == "\N{REPLACEMENT CHARACTER}" * 256


@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_every_rejected_body_can_be_told(body: bytes) -> None:
    received = Message("a", START, body)
    found = parse_body(body, watch().kind)
    if isinstance(found, Rejection):
        assert len(rejected_event(received, found.reason, source=SOURCE)) < 16_384


def longest(status: str, message: str) -> Training:
    """Return the longest status that the service can make the app keep."""
    fields = ("lastActionDateTime", "lastSuccessfulTrainingDateTime", "lastSuccessfulTrainingId")
    body = {
        "status": status,
        "createdDateTime": f"2026-11-20T10:00:00.{'1' * 100}+00:00",
        **dict.fromkeys(fields, "\N{GRINNING FACE}" * 100),
        "message": message,
    }
    return decode_training(json.dumps(body).encode())


@pytest.mark.parametrize("end", ["failed", "timedOut", "rejected"])
def test_the_longest_event_fits_a_property_of_the_table_and_a_message_of_the_queue(end: str) -> None:
    faces = "\N{GRINNING FACE}" * 5_000
    error = {"error": {"code": faces, "message": faces}}
    looks: dict[str, Training | FaceError] = {
        "failed": longest("failed", faces),
        "timedOut": error_from_response(500, {}, json.dumps(error).encode()),
        "rejected": error_from_response(400, {}, json.dumps(error).encode()),
    }
    seen = watch(
        group_id="g" * 64,
        correlation_id="\N{GRINNING FACE}" * MAX_CORRELATION_ID_CHARS,
        training=longest("\N{GRINNING FACE}" * 100, faces),
    )
    at = START + timedelta(days=7)
    decision = decide(seen, looks[end], at, Policy(Bounds(1, 60), timeout=MAX_VISIBILITY_SECONDS, grace=60), jitter=0.5)
    assert isinstance(decision, End)
    assert decision.outcome == end
    event = ended_event(
        decision.watch,
        decision.outcome,
        source=f"https://{'a.' * 126}",
        at=at,
        error=decision.error,
        superseded_by=None,
    )
    assert len(event) <= LONGEST_PROPERTY
