"""The emulator against the service's specification and recordings of the real one."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from local.face_emulator.process import FaceEmulator
from local.face_emulator.trainings import Plan
from tests.support.face_contract import Specification, read_recording
from tests.support.face_service import FaceService
from tests.support.waiting import wait_for

COLLECTIONS = {
    "persongroups": "personGroup",
    "largepersongroups": "largePersonGroup",
    "largefacelists": "largeFaceList",
}

PLANS = (
    Plan(not_started=3600),
    Plan(duration=3600),
    Plan(duration=0),
    Plan(duration=0, outcome="failed"),
)

# What a proxy or the connection adds, and a server may leave out.
OF_THE_CONNECTION = {"date", "connection"}


def test_every_response_is_as_specified(face_emulator: FaceEmulator) -> None:
    specification = Specification()
    service = FaceService(face_emulator.endpoint, face_emulator.key)
    service.session.hooks["response"].append(specification.check)
    for collection, kind in COLLECTIONS.items():
        walk_trainings(service, face_emulator, collection, kind)
    walk_dynamic_groups(service)
    stranger = FaceService(face_emulator.endpoint, "another key")
    stranger.session.hooks["response"].append(specification.check)
    for method, path in specification.operations:
        assert stranger.call(method, re.sub(r"\{\w+\}", "some-id", path)).status_code == 401
    assert specification.seen == set(specification.operations)


def walk_trainings(service: FaceService, emulator: FaceEmulator, collection: str, kind: str) -> None:
    """Ask for all that a training can be."""
    assert service.get(f"/{collection}/g/training").status_code == 404
    emulator.control.group(kind, "g")
    assert service.get(f"/{collection}/g/training").status_code == 404
    for plan in PLANS:
        emulator.control.plan(kind, "g", **msgspec.structs.asdict(plan))
        emulator.control.group(kind, "g")
        assert service.call("POST", f"/{collection}/g/train").status_code == 202
        assert service.get(f"/{collection}/g/training").status_code == 200
    emulator.control.group(kind, "g", train=True)
    assert service.get(f"/{collection}").json() == [{f"{kind}Id": "g", "name": "g"}]
    assert service.get(f"/{collection}", params={"returnRecognitionModel": "true"}).status_code == 200
    assert service.get(f"/{collection}", params={"top": 0}).status_code == 400


def walk_dynamic_groups(service: FaceService) -> None:
    """Do all that can be done with dynamic person groups."""
    path = "/dynamicpersongroups/d"
    created = service.create(path, userData="u")
    assert created.status_code == 202
    assert service.create(path).status_code == 409
    assert service.call("PATCH", path, json={"name": "b"}).status_code == 202
    assert service.call("PATCH", path, json={}).status_code == 400
    assert service.get(path).json() == {"dynamicPersonGroupId": "d", "name": "b", "userData": "u"}
    assert service.get("/dynamicpersongroups").status_code == 200
    assert service.get("/dynamicpersongroups", params={"top": "many"}).status_code == 400
    operation = created.headers["Operation-Location"].rpartition("/")[2]
    assert service.get(f"/operations/{operation}").status_code == 200
    assert service.get("/operations/unknown").status_code == 404
    assert service.call("DELETE", path).status_code == 202
    assert service.get(path).status_code == 404


@pytest.mark.parametrize("collection", ["persongroups", "largepersongroups"])
def test_a_training_responds_as_the_recorded_one(face_emulator: FaceEmulator, collection: str) -> None:
    kind = COLLECTIONS[collection]
    service = FaceService(face_emulator.endpoint, face_emulator.key)
    recorded = read_recording(f"v1.2-preview.1_{collection[:-1]}_training")
    submitted, running, succeeded = recorded

    face_emulator.control.plan(kind, "identify", duration=3600)
    face_emulator.control.group(kind, "identify")
    assert_like_recorded(service.call("POST", f"/{collection}/identify/train"), submitted)
    assert_like_recorded(service.get(f"/{collection}/identify/training"), running)

    face_emulator.control.plan(kind, "identify", duration=0)
    face_emulator.control.group(kind, "identify", train=True)
    assert_like_recorded(service.get(f"/{collection}/identify/training"), succeeded)


def test_a_dynamic_group_is_made_as_the_recorded_one(face_emulator: FaceEmulator) -> None:
    service = FaceService(face_emulator.endpoint, face_emulator.key)
    created, not_started, succeeded = read_recording("v1.0-preview_dynamicpersongroup_create")

    response = service.call(
        "PUT", "/dynamicpersongroups/d", version="v1.0-preview", json={"name": "a", "userData": "b", "addPersonIds": []}
    )
    assert response.status_code == created["status"]
    assert {name.lower() for name in created["headers"]} <= {name.lower() for name in response.headers}

    location = response.headers["Operation-Location"]
    first = service.session.get(location, timeout=30)
    assert forms(first.json()) == forms(not_started["body"])
    last = wait_for(lambda: succeeded_operation(service, location), what="the operation to succeed")
    assert forms(last) == forms(succeeded["body"])


def succeeded_operation(service: FaceService, location: str) -> dict[str, str] | None:
    """Return the operation's body once it has succeeded."""
    body: dict[str, str] = service.session.get(location, timeout=30).json()
    return body if body["status"] == "succeeded" else None


def assert_like_recorded(response: Any, recorded: Mapping[str, Any]) -> None:
    """Compare a response's status, header names, length and forms of fields with the recorded ones."""
    assert response.status_code == recorded["status"]
    names = {name.lower() for name in response.headers} - OF_THE_CONNECTION
    assert names == {name.lower() for name in recorded["headers"]} - OF_THE_CONNECTION
    assert response.headers["Content-Length"] == recorded["headers"]["Content-Length"]
    for name in ("Content-Type", "CSP-Billing-Usage", "X-Content-Type-Options", "Strict-Transport-Security"):
        assert response.headers.get(name) == recorded["headers"].get(name)
    if recorded["body"]:
        assert forms(response.json()) == forms(recorded["body"])
    else:
        assert response.content == b""


def forms(body: Mapping[str, str]) -> dict[str, str]:
    """Return each field with its value's form: digits and letters of IDs as such, words as they are."""
    return {name: _form(value) for name, value in body.items()}


def _form(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return "address/" + value.rpartition("/")[2].replace("dynamic-person-group-id", "d")
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return "uuid"
    return re.sub(r"\d", "0", value)
