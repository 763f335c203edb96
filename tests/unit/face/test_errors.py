import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.errors import (
    BadRequest,
    Conflict,
    FaceError,
    InvalidResponse,
    NotFound,
    ServerFault,
    Throttled,
    Unauthorized,
    error_from_response,
)
from shared.face.models import MAX_MESSAGE_CHARS

DATE = "Tue, 03 Sep 2024 15:55:58 GMT"


def service_body(code: str | int, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (101, InvalidResponse),
        (200, InvalidResponse),
        (204, InvalidResponse),
        (301, InvalidResponse),
        (302, InvalidResponse),
        (304, InvalidResponse),
        (307, InvalidResponse),
        (400, BadRequest),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (405, BadRequest),
        (408, ServerFault),
        (409, Conflict),
        (410, BadRequest),
        (413, BadRequest),
        (415, BadRequest),
        (429, Throttled),
        (499, BadRequest),
        (500, ServerFault),
        (502, ServerFault),
        (503, ServerFault),
        (504, ServerFault),
        (529, ServerFault),
        (999, ServerFault),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[FaceError]) -> None:
    error = error_from_response(status, {}, b"")
    assert type(error) is kind
    assert (error.status, error.code, error.wait) == (status, None, None)
    assert str(error) == f"the Face service answered {status} without a readable message"


def test_an_error_of_the_service_is_told_with_its_code_message_and_request_id() -> None:
    error = error_from_response(
        400,
        {"apim-request-id": "e13600f9", "x-ms-error-code": "BadArgument"},
        service_body("BadArgument", "'top' is invalid."),
    )
    assert (error.code, error.message, error.request_id) == ("BadArgument", "'top' is invalid.", "e13600f9")
    assert str(error) == "BadArgument: 'top' is invalid."


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (service_body("429", "Slow down."), "429", "Slow down."),
        (service_body(429, "Slow down."), "429", "Slow down."),
        (b'{"statusCode": 429, "message": "Rate limit is exceeded."}', "429", "Rate limit is exceeded."),
        (b'{"statusCode": "429", "message": "Rate limit is exceeded."}', "429", "Rate limit is exceeded."),
        (b'{"error": {"code": "429", "message": null, "innererror": {}}}', "429", None),
        (b'{"error": {}}', None, None),
        (b"{}", None, None),
    ],
)
def test_the_forms_of_service_and_gateways_are_understood(body: bytes, code: str | None, message: str | None) -> None:
    error = error_from_response(429, {}, body)
    assert error.code == code
    assert error.message == (message or "the Face service answered 429 without a readable message")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body><h1>502 secret-name</h1></body></html>",
        b"\xff\xfe",
        b"null",
        b"[1, 2]",
        b'"secret-name"',
        b'{"error": "secret-name"}',
        b'{"error": {"code": {"a": 1}, "message": "secret-name"}}',
        b'{"error": {"code": "x", "message": 5}}',
        b'{"error": {"code": "\\ud800", "message": "secret-name"}}',
        b'{"error": {"code": ' + b"9" * 5_000 + b"}}",
        b'{"error": {"code": "x", "message": "secret-na',
        b'{"error":' * 100_000,
        b"[" * 100_000,
    ],
)
def test_of_a_body_in_no_known_form_nothing_is_kept(body: bytes) -> None:
    error = error_from_response(502, {}, body)
    assert str(error) == "the Face service answered 502 without a readable message"


def test_the_header_names_the_code_where_the_body_cannot() -> None:
    error = error_from_response(404, {"x-ms-error-code": "LargePersonGroupNotTrained"}, b"<html>")
    assert isinstance(error, NotFound)
    assert error.code == "LargePersonGroupNotTrained"
    assert error.never_trained


@pytest.mark.parametrize(
    ("code", "never_trained"),
    [
        ("PersonGroupNotTrained", True),
        ("LargePersonGroupNotTrained", True),
        ("LargeFaceListNotTrained", True),
        ("PersonGroupNotFound", False),
        ("LargePersonGroupNotFound", False),
        ("LargeFaceListNotFound", False),
        ("404", False),
    ],
)
def test_a_group_without_a_training_is_told_from_one_that_is_not_there(code: str, never_trained: bool) -> None:
    error = error_from_response(404, {}, service_body(code, "Not there."))
    assert isinstance(error, NotFound)
    assert error.never_trained is never_trained


def test_a_404_without_a_code_is_a_missing_group() -> None:
    error = error_from_response(404, {}, b"")
    assert isinstance(error, NotFound)
    assert not error.never_trained


@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"Retry-After": "0"}, "", 0.0),
        ({"Retry-After": "26"}, "", 26.0),
        ({"Retry-After": " 1.5 "}, "", 1.5),
        ({"Retry-After": "7"}, "Please retry after 1 second.", 7.0),
        ({"Retry-After": "Tue, 03 Sep 2024 15:56:28 GMT", "Date": DATE}, "", 30.0),
        ({"Retry-After": "Tue, 03 Sep 2024 17:56:28 +0200", "Date": DATE}, "", 30.0),
        ({"Retry-After": "Tuesday, 03-Sep-24 15:56:28 GMT", "Date": DATE}, "", 30.0),
        ({"Retry-After": "Tue Sep  3 15:56:28 2024", "Date": DATE}, "", 30.0),
        ({"Retry-After": "Tue, 03 Sep 2024 15:55:57 GMT", "Date": DATE}, "", 0.0),
        ({}, "Requests … have exceeded the rate limit. Please retry after 1 second.", 1.0),
        ({}, "Rate limit is exceeded. Try again in 26 seconds.", 26.0),
        ({}, "Please RETRY AFTER 0.5 seconds", 0.5),
        ({"Retry-After": "soon"}, "Try again in 26 seconds.", 26.0),
        ({"Retry-After": ""}, "Try again in 26 seconds.", 26.0),
        ({}, "Out of call volume quota. Quota will be replenished in 2 days.", None),
        ({}, "Try again in 1234567 seconds.", None),
        ({}, "Begin 26 seconds.", None),
        ({}, "", None),
    ],
)
def test_the_wait_that_the_service_asks_for(headers: dict[str, str], message: str, wait: float | None) -> None:
    assert error_from_response(429, headers, service_body("429", message)).wait == wait


@pytest.mark.parametrize(
    "asked",
    [
        "-5",
        "1e3",
        "NaN",
        "infinity",
        "٣",
        "1234567890",
        "1" * 5_000,
        "2026-11-20T10:00:00Z",
        "Tue, 03 Sep 99999999999999999999 15:55:58 GMT",
        "Tue, 03 Sep 2024 15:55:58 +99999999999999999999",
        "Tue, 03 Sep 2024 15:55:58 +9999",
        "Tue, 32 Sep 2024 15:55:58 GMT",
        "Tue, 03 Sep 2024 99:99:99 GMT",
    ],
)
def test_a_wait_that_cannot_be_read_is_none(asked: str) -> None:
    assert error_from_response(429, {"Retry-After": asked}, b"").wait is None


def test_a_date_without_the_answers_own_is_taken_by_our_clock() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for headers in ({"Retry-After": until}, {"Retry-After": until, "Date": "nonsense"}):
        wait = error_from_response(503, headers, b"").wait
        assert wait is not None
        assert 90 < wait <= 100


def test_a_long_message_and_a_long_code_are_cut() -> None:
    error = error_from_response(500, {}, service_body("c" * 5_000, "m" * 5_000))
    assert (len(error.code or ""), len(error.message)) == (100, MAX_MESSAGE_CHARS)


PARTS = [
    "Tue,",
    "03",
    "Sep",
    "2024",
    "15:55:58",
    "GMT",
    "+0000",
    "-",
    "9" * 20,
    ":",
    ",",
    ";",
    "(",
    '"',
    "\\",
    " ",
    "-1",
]


@given(
    st.integers(min_value=100, max_value=999),
    st.dictionaries(
        st.sampled_from(["Retry-After", "Date", "x-ms-error-code", "apim-request-id"]),
        st.text(max_size=40) | st.lists(st.sampled_from(PARTS), max_size=8).map(" ".join),
    ),
    st.binary(max_size=200) | st.builds(service_body, st.text(max_size=20), st.text(max_size=40)),
)
def test_every_answer_becomes_an_error_whatever_it_holds(status: int, headers: dict[str, str], body: bytes) -> None:
    error = error_from_response(status, headers, body)
    assert error.status == status
    assert error.wait is None or 0 <= error.wait < float("inf")
