"""Each fault as a client sees it."""

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

from local.face_emulator.faults import (
    BrokenJson,
    Cut,
    ErrorResponse,
    Hang,
    Html,
    Latency,
    PageOutOfOrder,
    PageRepeated,
    Redirect,
    Throttled,
)
from local.face_emulator.process import FaceEmulator
from tests.support.face_service import FaceService


@pytest.fixture
def service(face_emulator: FaceEmulator) -> FaceService:
    face_emulator.control.fill(10)
    return FaceService(face_emulator.endpoint, face_emulator.key)


def test_an_error_has_the_forms_of_the_service(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(ErrorResponse(status=503, code="ServiceUnavailable", message="Later."))
    response = service.get("/dynamicpersongroups")
    assert response.status_code == 503
    assert response.json() == {"error": {"code": "ServiceUnavailable", "message": "Later."}}
    assert response.headers["x-ms-error-code"] == "ServiceUnavailable"


def test_throttling_names_its_wait_in_seconds(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Throttled(retry_after=7))
    response = service.get("/dynamicpersongroups")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json()["error"]["code"] == "429"


def test_throttling_names_its_wait_as_a_date(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Throttled(retry_after=600, as_date=True))
    response = service.get("/dynamicpersongroups")
    wait = parsedate_to_datetime(response.headers["Retry-After"]) - datetime.now(UTC)
    assert 540 < wait.total_seconds() <= 601


def test_throttling_names_its_wait_in_the_message_alone(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Throttled())
    response = service.get("/dynamicpersongroups")
    assert "Retry-After" not in response.headers
    assert response.json()["error"]["message"] == "Rate limit is exceeded. Try again in 26 seconds."


def test_throttling_has_the_form_of_a_gateway(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Throttled(form="gateway", message="Wait."))
    response = service.get("/dynamicpersongroups")
    assert response.json() == {"statusCode": 429, "message": "Wait."}
    assert "x-ms-error-code" not in response.headers


def test_latency_is_added(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Latency(seconds=0.1))
    face_emulator.control.settings(latency=0.1)
    begin = time.monotonic()
    assert service.get("/dynamicpersongroups").status_code == 200
    assert time.monotonic() - begin >= 0.2


def test_a_hang_lasts_until_the_client_gives_up(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Hang())
    with pytest.raises(requests.ReadTimeout):
        service.get("/dynamicpersongroups", timeout=0.2)


def test_a_hang_ends_after_its_time(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Hang(seconds=0.1))
    with pytest.raises(requests.ConnectionError, match="Remote end closed connection"):
        service.get("/dynamicpersongroups")


def test_a_connection_is_cut_before_the_request_is_done(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Cut(remaining=1))
    with pytest.raises(requests.ConnectionError):
        service.create("/largepersongroups/g")
    assert service.get("/largepersongroups/g").status_code == 404


@pytest.mark.parametrize("when", ["after", "body"])
def test_a_connection_is_cut_though_the_request_was_done(
    face_emulator: FaceEmulator, service: FaceService, when: str
) -> None:
    face_emulator.control.faults(Cut(when=when, remaining=1))  # type: ignore[arg-type]  # a str of the two
    with pytest.raises(requests.ConnectionError):
        service.create("/largepersongroups/g")
    assert service.get("/largepersongroups/g").status_code == 200


def test_a_connection_is_cut_in_the_middle_of_the_body(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Cut(when="body"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        service.get("/dynamicpersongroups")


def test_a_page_of_html_comes_instead_of_json(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Html(status=200))
    response = service.get("/dynamicpersongroups")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.text.startswith("<html>")


def test_json_is_broken(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(BrokenJson())
    response = service.get("/dynamicpersongroups")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.text)


def test_a_redirect_leads_elsewhere(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(Redirect(location="http://127.0.0.1:9/there"))
    response = service.get("/dynamicpersongroups")
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:9/there")


def test_a_page_comes_out_of_order(face_emulator: FaceEmulator, service: FaceService) -> None:
    ordered = service.list_ids()
    face_emulator.control.faults(PageOutOfOrder())
    assert service.list_ids() == ordered[::-1]


def test_a_page_comes_again(face_emulator: FaceEmulator, service: FaceService) -> None:
    first = service.list_ids(top=3)
    face_emulator.control.faults(PageRepeated())
    assert service.list_ids(start=first[-1], top=3) == first


def test_other_operations_are_spared(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(ErrorResponse(operation="largePersonGroup.*"))
    assert service.get("/largepersongroups").status_code == 500
    assert service.get("/dynamicpersongroups").status_code == 200


def test_faults_end_when_none_remain(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.faults(ErrorResponse(remaining=2))
    assert [service.get("/dynamicpersongroups").status_code for _ in range(3)] == [500, 500, 200]


def test_the_same_seed_meets_the_same_requests(face_emulator: FaceEmulator, service: FaceService) -> None:
    def statuses(seed: int) -> list[int]:
        face_emulator.control.faults(ErrorResponse(rate=0.5), seed=seed)
        return [service.get("/largepersongroups").status_code for _ in range(30)]

    assert statuses(1) == statuses(1) != statuses(2)
