import base64
import json
import re
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.models import GroupKind, TrainingStatus, decode_training
from shared.face.responses import error_from_response
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training import decide
from shared.training.decide import End, PollResult
from shared.training.events import MAX_BODY_BYTES, MAX_EVENT_BYTES, Seen, body_event, body_event_id, ended
from shared.training.messages import MAX_CORRELATION_ID_CHARS, Encoding, Group, Message, Rejection, parse_body
from shared.training.record import Outcome, RequestRecord
from tests.support.builders import (
    FACE,
    GROUP,
    MESSAGE_ID,
    REQUEST_ID,
    START,
    TRACEPARENT,
    message,
    request,
    response,
    training,
    watch,
)
from tests.support.watching import POLICY

SOURCE = "https://faces.cognitiveservices.azure.com"
SUCCESS = End(Outcome.SUCCEEDED, by_training=True)
REJECTED = End(Outcome.REJECTED, "invalidRequest", "the reason")


def ended_request(of: RequestRecord, end: End = SUCCESS, group: Group = GROUP, **seen: Any) -> RequestRecord:
    return ended(group, of, end, Seen(**{"at": START + timedelta(seconds=37.2), **seen}), source=SOURCE)


def event_of(of: RequestRecord, end: End = SUCCESS, **seen: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(ended_request(of, end, **seen).event or b"")
    return event


def body_event_of(of: Message, end: End = REJECTED, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(body_event(of, end, source=SOURCE, **more))
    return event


def test_an_event_is_as_documented() -> None:
    event = event_of(
        request(traceparent=TRACEPARENT, polls_before=5),
        polls=9,
        training=training("succeeded", last_action_date_time="2026-11-20T10:00:35.1Z"),
        late_seconds=2.1,
        service_request_id="4f5d",
    )
    assert event == {
        "specversion": "1.0",
        "id": REQUEST_ID,
        "source": f"{SOURCE}/largepersongroups/my-group",
        "type": "face.training.succeeded",
        "subject": "largePersonGroup/my-group",
        "time": "2026-11-20T10:00:37.200Z",
        "datacontenttype": "application/json",
        "traceparent": TRACEPARENT,
        "data": {
            "kind": "largePersonGroup",
            "groupId": "my-group",
            "outcome": "succeeded",
            "training": {
                "status": "succeeded",
                "createdDateTime": "2026-11-20T10:00:00.0000000Z",
                "lastActionDateTime": "2026-11-20T10:00:35.1Z",
            },
            "polls": 4,
            "watchedSeconds": 37.2,
            "lateSeconds": 2.1,
            "correlationId": None,
            "error": None,
            "serviceRequestId": "4f5d",
        },
    }


def test_an_event_without_a_trace_has_no_traceparent_and_what_is_unknown_is_null() -> None:
    event = event_of(request())
    assert "traceparent" not in event
    data = event["data"]
    assert (data["training"], data["lateSeconds"], data["serviceRequestId"]) == (None, None, None)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_type_names_the_outcome(outcome: Outcome) -> None:
    event = event_of(request(correlation_id="order 7"), End(outcome, "someCode", "why"))
    assert event["type"] == f"face.training.{outcome.value}"
    data = event["data"]
    assert (data["outcome"], data["correlationId"]) == (outcome.value, "order 7")
    assert data["error"] == {"code": "someCode", "message": "why"}


@pytest.mark.parametrize("kind", list(GroupKind))
def test_source_and_subject_name_the_group(kind: GroupKind) -> None:
    event = json.loads(ended_request(request(), group=Group(kind, "a")).event or b"")
    assert (event["source"], event["subject"]) == (f"{SOURCE}/{kind.value.lower()}s/a", f"{kind.value}/a")


def test_an_ended_request_keeps_its_demands_and_knows_its_end() -> None:
    of = request(train=True, trained_after="2026-11-20T10:00:00Z", correlation_id="order 7")
    record = ended_request(of)
    assert (record.outcome, record.ended_at) == (Outcome.SUCCEEDED, START + timedelta(seconds=37.2))
    assert msgspec.structs.replace(record, outcome=None, ended_at=None, event=None) == of


def test_the_same_end_makes_the_same_event_byte_for_byte() -> None:
    one, other = (ended_request(request(), training=training("succeeded"), polls=3) for _ in range(2))
    assert one.event == other.event is not None


def test_a_clock_that_went_back_makes_no_negative_numbers() -> None:
    data = event_of(request(polls_before=7), at=START - timedelta(seconds=5), polls=3)["data"]
    assert (data["watchedSeconds"], data["polls"]) == (0, 0)


@pytest.mark.parametrize(
    ("status", "late"),
    [
        (response("succeeded", seconds=39, last_successful_training_date_time="2026-11-20T10:00:37.25Z"), 1.75),
        (response("failed", seconds=39, last_action_date_time="2026-11-20T10:00:37.0000000Z"), 2),
        (response("succeeded", seconds=37, last_successful_training_date_time="2026-11-20T10:00:37.9Z"), 0),
        (response("succeeded", last_successful_training_date_time="2026-11-20T10:00:37Z"), None),
        (response("succeeded", seconds=39), None),
        (response("succeeded", seconds=39, last_successful_training_date_time="1/3/2017 4:11:35 AM"), None),
        (response("failed", seconds=39, last_successful_training_date_time="2026-11-20T10:00:37Z"), None),
        (response("running", seconds=39, last_action_date_time="2026-11-20T10:00:37Z"), None),
    ],
)
def test_how_late_an_end_was_seen_is_told_by_the_services_clock_alone(
    status: TrainingStatus, late: float | None
) -> None:
    assert decide.late_seconds(status) == late


@given(st.text(max_size=MAX_CORRELATION_ID_CHARS), st.text(max_size=50))
def test_an_event_is_ascii_on_one_line_whatever_it_says(correlation_id: str, words: str) -> None:
    record = ended_request(request(correlation_id=correlation_id), End(Outcome.FAILED, "trainingFailed", words))
    assert record.event is not None
    text = record.event.decode("ascii")
    assert text.isprintable()
    assert escape(text) == text  # so it is as long on the queue, which escapes for XML
    data = json.loads(text)["data"]
    assert (data["correlationId"], data["error"]["message"]) == (correlation_id, words)


def longest(status: str, text: str) -> TrainingStatus:
    """Return the longest status that the service can make the app keep."""
    words = ("lastActionDateTime", "lastSuccessfulTrainingDateTime", "lastSuccessfulTrainingId")
    created = f"2026-11-20T10:00:00.{'1' * 100}+00:00"
    body = {"status": status, "createdDateTime": created, **dict.fromkeys(words, text), "message": text}
    return TrainingStatus(decode_training(json.dumps(body).encode()), START, "a" * 64)


@pytest.mark.parametrize("character", [FACE, "&", "\x00", "\uffff", '"'])
@pytest.mark.parametrize("outcome", ["failed", "timedOut", "rejected", "notFound"])
def test_the_longest_event_is_below_48_kib_whatever_the_service_and_the_sender_wrote(
    outcome: str, character: str
) -> None:
    text = character * 5_000
    errors = {
        status: error_from_response(status, {}, json.dumps({"error": {"code": text, "message": text}}).encode())
        for status in (400, 500)
    }
    missing = error_from_response(
        404, {"x-ms-error-code": "PersonGroupNotFound"}, json.dumps({"error": {"message": text}}).encode()
    )
    results: dict[str, PollResult] = {
        "failed": longest("failed", text),
        "timedOut": errors[500],
        "rejected": errors[400],
        "notFound": missing,
    }
    of = request(
        request_id=f"20261120T100000Z-{'a' * 64}",
        correlation_id=character * MAX_CORRELATION_ID_CHARS,
        traceparent=TRACEPARENT,
        other_reading=True,
    )
    policy = msgspec.structs.replace(POLICY, timeout=MAX_VISIBILITY_SECONDS)
    now = START + timedelta(days=7)
    end = decide.end_of(of, watch(), results[outcome], now, policy)
    assert end is not None
    assert end.outcome == outcome
    seen = Seen(at=now, polls=10**9, training=longest(text, text).training, service_request_id="a" * 64)
    group = Group(GroupKind.LARGE_PERSON_GROUP, "g" * 64)
    event = ended(group, of, end, seen, source=f"https://{'a.' * 126}").event
    assert event is not None
    assert len(event) <= MAX_EVENT_BYTES == 48 * 1024
    assert json.loads(event)["data"]["error"]["message"].count(character) >= (0 if outcome == "timedOut" else 1_000)


# bodies that are told by themselves


def test_a_rejected_body_is_told_with_its_reason_its_message_and_when_it_was_enqueued() -> None:
    event = body_event_of(message("My Group"), correlation_id="order 7")
    assert event.pop("id") == body_event_id(message("My Group"))
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
            "lateSeconds": None,
            "correlationId": "order 7",
            "error": {"code": "invalidRequest", "message": "the reason"},
            "serviceRequestId": None,
            "messageId": MESSAGE_ID,
            "body": "My Group",
        },
    }


def test_an_abandoned_request_names_its_group_and_its_trace() -> None:
    end = End(Outcome.ABANDONED, "poisoned", "why")
    event = body_event_of(message("my-group"), end, group=GROUP, traceparent=TRACEPARENT)
    assert (event["type"], event["traceparent"]) == ("face.training.abandoned", TRACEPARENT)
    assert event["subject"] == GROUP.subject
    assert (event["data"]["kind"], event["data"]["groupId"]) == ("largePersonGroup", "my-group")


def test_a_redelivered_rejected_body_makes_the_same_event_byte_for_byte() -> None:
    first = body_event(message("My Group", dequeue_count=1), REJECTED, source=SOURCE)
    second = body_event(message("My Group", dequeue_count=2), REJECTED, source=SOURCE)
    assert first == second


def test_each_body_has_an_event_of_its_own_whose_id_no_request_can_have() -> None:
    messages = [
        message("My Group"),
        message("My  Group"),
        message("My Group", message_id="another"),
        message(b"\xff"),
        message("\ufffd"),
    ]
    ids = {body_event_id(each) for each in messages}
    assert len(ids) == len(messages)
    assert not any(re.match(r"\d{8}T", each) for each in ids)


@pytest.mark.parametrize("character", ["a", " ", "€"])
def test_a_body_of_up_to_16_kib_is_told_whole(character: str) -> None:
    body = character * (MAX_BODY_BYTES // len(character.encode()))
    data = body_event_of(message(body))["data"]
    assert data["body"] == body
    assert "bodyTruncated" not in data
    assert MAX_BODY_BYTES == 16 * 1024


@pytest.mark.parametrize("character", ["ä", FACE, "\x00", "&"])
def test_a_body_that_is_too_long_as_ascii_text_is_told_whole_as_base64(character: str) -> None:
    body = character * (MAX_BODY_BYTES // len(character.encode()))
    data = body_event_of(message(body))["data"]
    assert base64.b64decode(data["bodyBase64"]).decode() == body
    assert "body" not in data


def test_the_beginning_of_a_longer_body_is_told() -> None:
    data = body_event_of(message("ä" * 8_192 + "a"))["data"]
    assert (data["body"], data["bodyTruncated"]) == ("ä" * 256, True)


def test_a_body_that_is_not_utf_8_is_told_as_base64() -> None:
    body = b"\xff\xfe" * (MAX_BODY_BYTES // 2)
    data = body_event_of(message(body))["data"]
    assert base64.b64decode(data["bodyBase64"]) == body
    assert "body" not in data
    assert "bodyTruncated" not in data
    longer = body_event_of(message(body + b"\xff"))["data"]
    assert (longer["body"], longer["bodyTruncated"]) == ("\ufffd" * 256, True)


@pytest.mark.parametrize("character", [FACE, "&", "\x00", '"', "\uffff", "\x7f"])
@pytest.mark.parametrize("size", [MAX_BODY_BYTES, 65_536])
def test_the_event_of_a_body_is_below_48_kib_whatever_its_characters(character: str, size: int) -> None:
    body = (character * size).encode()[:size]
    event = body_event(
        message(body),
        End(Outcome.REJECTED, "invalidRequest", character * 400),
        source=f"https://{'a.' * 126}",
        correlation_id=character * MAX_CORRELATION_ID_CHARS,
    )
    assert len(event) <= MAX_EVENT_BYTES
    data = json.loads(event)["data"]
    assert ("bodyTruncated" in data) is (size > MAX_BODY_BYTES)


@given(st.binary() | st.text().map(str.encode) | st.text('{}[]":,/=- \n' + "aeinrt019").map(str.encode))
def test_whatever_a_body_holds_it_is_told_so_that_it_can_be_sent_again(body: bytes) -> None:
    parsed = parse_body(body, GROUP.kind, Encoding.AUTO)
    if isinstance(parsed, Rejection):
        end = End(Outcome.REJECTED, "invalidRequest", parsed.reason)
        data = body_event_of(message(body), end, correlation_id=parsed.correlation_id)["data"]
        assert body == (base64.b64decode(data["bodyBase64"]) if "bodyBase64" in data else data["body"].encode())
