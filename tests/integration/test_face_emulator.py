"""The emulated service: its operations, errors, access and limit, over HTTP."""

import pytest
import requests

from local.face_emulator.process import FaceEmulator
from tests.support.face_service import FaceService

KINDS = ["personGroup", "largePersonGroup", "largeFaceList"]
ALL_VERSIONS = ["v1.0-preview", "v1.1-preview.1", "v1.2-preview.1", "v1.0", "v1.2", "v1.3-preview.1"]


def assert_error(response: requests.Response, status: int, code: str, message: str) -> None:
    """Check that a response has the service's form of an error."""
    assert response.status_code == status
    assert response.json() == {"error": {"code": code, "message": message}}
    assert response.headers["x-ms-error-code"] == code
    assert response.headers["apim-request-id"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_lives_from_its_creation_to_its_deletion(service: FaceService, kind: str) -> None:
    path = f"/{kind.lower()}s/my-group"
    assert service.create(path, userData="u", recognitionModel="recognition_03").status_code == 200
    assert service.create(path).json()["error"]["code"] == f"{kind[0].upper()}{kind[1:]}Exists"
    described = {f"{kind}Id": "my-group", "name": "a name", "userData": "u"}
    assert service.get(path).json() == described
    with_model = service.get(path, params={"returnRecognitionModel": "true"}).json()
    assert with_model == {**described, "recognitionModel": "recognition_03"}
    assert service.call("DELETE", path).status_code == 200
    assert service.get(path).status_code == 404


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        ("personGroup", "Person group"),
        ("largePersonGroup", "Large person group"),
        ("largeFaceList", "Large face list"),
    ],
)
def test_trainings_have_the_documented_errors(
    face_emulator: FaceEmulator, service: FaceService, kind: str, noun: str
) -> None:
    path, code = f"/{kind.lower()}s/my-group", kind[0].upper() + kind[1:]
    assert_error(service.get(f"{path}/training"), 404, f"{code}NotFound", f"{noun} is not found.")
    assert_error(service.call("POST", f"{path}/train"), 404, f"{code}NotFound", f"{noun} is not found.")
    face_emulator.control.group(kind, "my-group")
    assert_error(service.get(f"{path}/training"), 404, f"{code}NotTrained", f"{noun} not trained.")
    face_emulator.control.plan(kind, "my-group", duration=3600)
    assert service.call("POST", f"{path}/train").status_code == 202
    again = service.call("POST", f"{path}/train")
    assert_error(again, 409, f"{code}TrainingNotFinished", f"{noun} is under training.")


def test_a_group_that_is_made_again_was_never_trained(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.group("largePersonGroup", "g", train=True)
    service.call("DELETE", "/largepersongroups/g")
    service.create("/largepersongroups/g")
    assert service.get("/largepersongroups/g/training").json()["error"]["code"] == "LargePersonGroupNotTrained"


def test_groups_are_listed_in_ordinal_order_after_the_cursor(service: FaceService) -> None:
    for group_id in ("b", "a-", "_", "a", "0", "-", "a0", "a_"):
        service.create(f"/dynamicpersongroups/{group_id}")
    everything = ["-", "0", "_", "a", "a-", "a0", "a_", "b"]
    assert service.list_ids() == everything
    assert service.list_ids(start="a", top=2) == ["a-", "a0"]
    assert service.list_ids(start="a!") == ["a-", "a0", "a_", "b"]
    assert service.list_ids(start="Ж") == []
    assert service.list_ids(start="b") == []


def test_a_page_holds_a_thousand_groups_unless_told_otherwise(
    face_emulator: FaceEmulator, service: FaceService
) -> None:
    face_emulator.control.fill(1001)
    assert len(service.list_ids()) == 1000
    assert len(service.list_ids(top=1)) == 1


@pytest.mark.parametrize("collection", ["dynamicpersongroups", "largefacelists"])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"top": "0"}, "'top' is invalid."),
        ({"top": "1001"}, "'top' is invalid."),
        ({"top": "-1"}, "'top' is invalid."),
        ({"top": ""}, "'top' is invalid."),
        ({"start": "x" * 65}, "'start' is too long."),
    ],
)
def test_a_listing_out_of_its_range_is_rejected(
    service: FaceService, collection: str, parameters: dict[str, str], message: str
) -> None:
    assert_error(service.get(f"/{collection}", params=parameters), 400, "BadArgument", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON parsing error."),
        (b"{", "JSON parsing error."),
        (b"[]", "Request body is invalid."),
        (b'{"name": 1}', "Request body is invalid."),
        (b"{}", "'name' is empty."),
        (b'{"name": "%s"}' % (b"n" * 129), "'name' is too long."),
        (b'{"name": "n", "userData": "%s"}' % (b"u" * 16385), "'userData' is too long."),
        (b'{"name": "n", "recognitionModel": "recognition_05"}', "'recognitionModel' is invalid."),
    ],
)
@pytest.mark.parametrize("path", ["/largepersongroups/g", "/dynamicpersongroups/g"])
def test_a_bad_body_is_rejected(service: FaceService, path: str, body: bytes, message: str) -> None:
    assert_error(service.call("PUT", path, data=body), 400, "BadArgument", message)


@pytest.mark.parametrize("group_id", ["UPPER", "a.b", "%C3%A4", "x" * 65])
def test_an_invalid_id_is_rejected(service: FaceService, group_id: str) -> None:
    path = f"/largepersongroups/{group_id}"
    assert_error(service.create(path), 400, "BadArgument", "Large person group ID is invalid.")
    assert_error(service.get(path), 404, "LargePersonGroupNotFound", "Large person group ID is invalid.")


def test_a_dynamic_group_keeps_what_an_update_leaves_out(service: FaceService) -> None:
    service.create("/dynamicpersongroups/d", userData="u")
    assert service.call("PATCH", "/dynamicpersongroups/d", json={"name": "b"}).status_code == 202
    assert service.get("/dynamicpersongroups/d").json() == {"dynamicPersonGroupId": "d", "name": "b", "userData": "u"}


@pytest.mark.parametrize("headers", [{}, {"Ocp-Apim-Subscription-Key": "wrong"}, {"Authorization": "Bearer "}])
def test_without_the_key_there_is_no_access(face_emulator: FaceEmulator, headers: dict[str, str]) -> None:
    response = requests.get(f"{face_emulator.endpoint}/face/v1.2/persongroups", headers=headers, timeout=30)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "401"


def test_a_bearer_token_gives_access(face_emulator: FaceEmulator) -> None:
    headers = {"Authorization": "Bearer some.token"}
    response = requests.get(f"{face_emulator.endpoint}/face/v1.2/persongroups", headers=headers, timeout=30)
    assert response.json() == []


@pytest.mark.parametrize("version", [*ALL_VERSIONS, "v1.1", "v9"])
def test_each_api_version_has_its_operations(service: FaceService, version: str) -> None:
    groups = service.get("/largepersongroups", version=version).status_code
    dynamic_groups = service.get("/dynamicpersongroups", version=version).status_code
    assert groups == (200 if version in ALL_VERSIONS else 404)
    assert dynamic_groups == (200 if version in ("v1.0-preview", "v1.1-preview.1", "v1.2-preview.1") else 404)


@pytest.mark.parametrize(("method", "path"), [("GET", "/persons"), ("POST", "/largepersongroups"), ("GET", "")])
def test_what_is_not_there_is_a_404(service: FaceService, method: str, path: str) -> None:
    assert_error(service.call(method, path), 404, "404", "Resource not found")


def test_requests_beyond_the_limit_are_throttled(face_emulator: FaceEmulator, service: FaceService) -> None:
    face_emulator.control.settings(requests_per_second=2)
    responses = [service.get("/largepersongroups") for _ in range(4)]
    assert [response.status_code for response in responses[:2]] == [200, 200]
    throttled = responses[-1]
    assert_error(
        throttled,
        429,
        "429",
        "Requests to the Face API (v1.2-preview.1) have exceeded call rate limit of your current Face S0 pricing tier. "
        "Please retry after 1 second.",
    )
    assert throttled.headers["Retry-After"] == "1"
