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
    GroupNotFound,
    InvalidResponse,
    NotTrained,
    ServerFault,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
)
from shared.face.models import MAX_MESSAGE_CHARS
from shared.face.responses import error_from_response

CALL_ID = "e13600f9-f189-4468-9d78-57e72a6bd7f4"
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
        (404, UndocumentedNotFound),
        (405, BadRequest),
        (408, ServerFault),
        (409, Conflict),
        (410, BadRequest),
        (413, BadRequest),
        (423, ServerFault),
        (425, ServerFault),
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
    assert (error.status, error.code, error.message, error.wait) == (status, None, None, None)
    assert str(error) == f"the Face service responded {status}"


@pytest.mark.parametrize("text", ["", "e13600f9", f"{CALL_ID}x", f"{CALL_ID}\n", CALL_ID.replace("-", "")])
def test_what_is_not_a_uuid_is_not_a_calls_id(text: str) -> None:
    assert error_from_response(400, {"apim-request-id": text}, b"").request_id is None


def test_an_error_has_the_services_code_message_date_and_request_id() -> None:
    error = error_from_response(
        400,
        {"apim-request-id": CALL_ID, "x-ms-error-code": "BadArgument", "Date": DATE},
        service_body("BadArgument", "'top' is invalid."),
    )
    assert (error.code, error.message, error.request_id) == ("BadArgument", "'top' is invalid.", CALL_ID)
    assert error.date == datetime(2024, 9, 3, 15, 55, 58, tzinfo=UTC)


def test_the_inner_code_tells_a_resource_without_approved_access() -> None:
    body = b'{"error": {"code": "403", "message": "No.", "innererror": {"code": "UnsupportedFeature", "x": 1}}}'
    error = error_from_response(403, {}, body)
    assert (error.code, error.inner_code, error.documented_code) == ("403", "UnsupportedFeature", "UnsupportedFeature")
    assert str(error) == "the Face service responded 403 (UnsupportedFeature)"


def test_the_text_of_an_error_holds_nothing_that_the_service_wrote() -> None:
    secret = "a-secret-name"
    body = json.dumps({"error": {"code": secret, "message": secret, "innererror": {"code": secret}}}).encode()
    for headers in ({}, {"x-ms-error-code": secret, "apim-request-id": secret}):
        error = error_from_response(404, headers, body)
        assert secret not in f"{error} {error!r} {error.args}"
        assert error.documented_code is None


@pytest.mark.parametrize("text", ["", "a b", "x" * 65, "\u00e4", "a\nb"])
def test_a_request_id_of_another_form_is_none(text: str) -> None:
    assert error_from_response(500, {"apim-request-id": text}, b"").request_id is None


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (service_body("429", "Slow down."), "429", "Slow down."),
        (service_body(429, "Slow down."), "429", "Slow down."),
        (b'{"statusCode": 429, "message": "Rate limit is exceeded."}', "429", "Rate limit is exceeded."),
        (b'{"statusCode": "429", "message": "Rate limit is exceeded."}', "429", "Rate limit is exceeded."),
        (b'{"error": {"code": "429", "message": null, "innererror": {}}}', "429", None),
        (b'{"error": {"code": "429", "innererror": null}}', "429", None),
        (b'{"error": {}}', None, None),
        (b"{}", None, None),
    ],
)
def test_the_forms_of_service_and_gateways_are_understood(body: bytes, code: str | None, message: str | None) -> None:
    error = error_from_response(429, {}, body)
    assert (error.code, error.message) == (code, message)


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
    assert (error.code, error.inner_code, error.message) == (None, None, None)


def test_the_header_names_the_code_where_the_body_cannot() -> None:
    error = error_from_response(404, {"x-ms-error-code": "LargePersonGroupNotTrained"}, b"<html>")
    assert isinstance(error, NotTrained)
    assert error.code == "LargePersonGroupNotTrained"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("PersonGroupNotTrained", NotTrained),
        ("LargePersonGroupNotTrained", NotTrained),
        ("LargeFaceListNotTrained", NotTrained),
        ("PersonGroupNotFound", GroupNotFound),
        ("LargePersonGroupNotFound", GroupNotFound),
        ("LargeFaceListNotFound", GroupNotFound),
        ("DynamicPersonGroupNotFound", GroupNotFound),
        ("404", UndocumentedNotFound),
        ("ResourceNotFound", UndocumentedNotFound),
        ("SomethingNotTrained", UndocumentedNotFound),
        ("largepersongroupnotfound", UndocumentedNotFound),
    ],
)
def test_only_a_documented_code_is_a_fact_about_the_group(code: str, kind: type[FaceError]) -> None:
    assert type(error_from_response(404, {}, service_body(code, "Not there."))) is kind


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"statusCode": 404, "message": "Resource not found"}'])
def test_a_404_of_a_gateway_says_nothing_about_the_group(body: bytes) -> None:
    assert type(error_from_response(404, {}, body)) is UndocumentedNotFound


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


def test_a_date_without_the_responses_own_is_read_by_our_clock() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for headers in ({"Retry-After": until}, {"Retry-After": until, "Date": "nonsense"}):
        wait = error_from_response(503, headers, b"").wait
        assert wait is not None
        assert 90 < wait <= 100


def test_a_long_message_and_a_long_code_are_cut() -> None:
    error = error_from_response(500, {}, service_body("c" * 5_000, "m" * 5_000))
    assert error.code == "c" * 99 + "…"
    assert error.message == "m" * (MAX_MESSAGE_CHARS - 1) + "…"


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
def test_every_response_becomes_an_error_whatever_it_holds(status: int, headers: dict[str, str], body: bytes) -> None:
    error = error_from_response(status, headers, body)
    assert error.status == status
    assert error.wait is None or 0 <= error.wait < float("inf")
