import logging
from datetime import timedelta
from typing import Any

import pytest

from shared.face.errors import (
    FaceError,
    NoConnection,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
)
from shared.face.models import Training, TrainingStatus
from shared.face.responses import error_from_response
from shared.training.decide import Accepted, End, LaterSlot, NotMade, PollResult
from shared.training.events import Seen, ended
from shared.training.logs import log_ended, log_poll
from shared.training.record import Outcome
from tests.support.builders import GROUP, OUTSIDE_TEXT, REQUEST_ID, START, TRACEPARENT, request, response

REFUSED = error_from_response(403, {}, b'{"error": {"code": "403", "innererror": {"code": "UnsupportedFeature"}}}')
ASTRAY = error_from_response(404, {}, b'{"statusCode": 404, "message": "Resource not found"}')
CUT_OFF = NoConnection("no connection to https://faces.example; check FACE_ENDPOINT")


def poll(result: PollResult, **changes: Any) -> None:
    log_poll(GROUP, 7, result, **{"open_requests": 2, "delay": 30.0, **changes})


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    plain = logging.makeLogRecord({})
    return {name: value for name, value in vars(record).items() if name not in vars(plain) and name != "message"}


def test_a_poll_is_one_record_with_what_it_brought(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    poll(response("Running"))
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("INFO", "training polled")
    assert fields_of(record) == {
        "kind": "largePersonGroup",
        "step": 7,
        "response": "running",
        "http_status": 200,
        "open_requests": 2,
        "delay_seconds": 30.0,
        "service_request_id": response().request_id,
    }


@pytest.mark.parametrize(
    ("result", "name", "status"),
    [
        (response("succeeded"), "succeeded", 200),
        (response("nonstarted"), "nonstarted", 200),
        (response(OUTSIDE_TEXT), "unknown", 200),
        (Throttled("slow down", status=429), "Throttled", 429),
        (LaterSlot(START, 90.0), "laterSlot", None),
        (NotMade(600.0), "notPolled", None),
        (Accepted(), "accepted", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_poll_brought_has_a_name(
    caplog: pytest.LogCaptureFixture, result: PollResult, name: str, status: int | None
) -> None:
    caplog.set_level(logging.INFO)
    poll(result)
    (record,) = caplog.records
    assert (fields_of(record)["response"], fields_of(record)["http_status"]) == (name, status)


@pytest.mark.parametrize(
    ("error", "level", "words"),
    [
        (REFUSED, "ERROR", "UnsupportedFeature"),
        (Unauthorized("no credential could be had"), "ERROR", "no credential could be had"),
        (ASTRAY, "ERROR", "404"),
        (CUT_OFF, "WARNING", "FACE_ENDPOINT"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_trouble_that_people_can_mend_is_one_more_record(
    caplog: pytest.LogCaptureFixture, error: FaceError, level: str, words: str
) -> None:
    caplog.set_level(logging.INFO)
    poll(error)
    trouble, polled = caplog.records
    assert (trouble.levelname, polled.levelname) == (level, "INFO")
    assert words in fields_of(trouble)["error"]
    assert fields_of(trouble) == fields_of(polled) | {"error": str(error)}


def test_an_end_is_one_record_that_says_what_its_event_says(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen = Seen(at=START + timedelta(seconds=37.2), late_seconds=2.1, service_request_id="4f5d")
    end = End(Outcome.SUCCEEDED, by_training=True)
    log_ended(GROUP, ended(GROUP, request(traceparent=TRACEPARENT), end, seen, source="https://faces.example"))
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("INFO", "training request ended")
    assert fields_of(record) == {
        "kind": "largePersonGroup",
        "outcome": "succeeded",
        "watched_seconds": 37.2,
        "late_seconds": 2.1,
        "service_request_id": "4f5d",
        "traceparent": TRACEPARENT,
    }


RESULTS: list[PollResult] = [
    TrainingStatus(Training(OUTSIDE_TEXT, OUTSIDE_TEXT, OUTSIDE_TEXT, OUTSIDE_TEXT, OUTSIDE_TEXT, OUTSIDE_TEXT)),
    *(
        error_from_response(
            status,
            {"x-ms-error-code": OUTSIDE_TEXT, "apim-request-id": OUTSIDE_TEXT},
            f'{{"error": {{"code": "{OUTSIDE_TEXT}", "message": "{OUTSIDE_TEXT}"}}}}'.encode(),
        )
        for status in (302, 400, 401, 403, 404, 409, 429, 500)
    ),
]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_nothing_that_the_service_or_a_sender_wrote_is_logged_and_ids_at_debug_alone(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    for result in RESULTS:
        poll(result)
    end = End(Outcome.FAILED, OUTSIDE_TEXT, OUTSIDE_TEXT)
    of = request(correlation_id=OUTSIDE_TEXT, trained_after=OUTSIDE_TEXT)
    log_ended(GROUP, ended(GROUP, of, end, Seen(at=START), source="https://faces.example"))
    assert not any(OUTSIDE_TEXT in str(vars(record)) for record in caplog.records)
    for record in caplog.records:
        holds_ids = any(each in str(vars(record)) for each in (GROUP.group_id, REQUEST_ID))
        assert holds_ids is (record.levelno == logging.DEBUG)
    assert caplog.records[-1].levelno == level
    assert isinstance(RESULTS[5], UndocumentedNotFound)
