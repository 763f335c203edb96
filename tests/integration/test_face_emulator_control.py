"""The emulator's control API."""

import os
import subprocess
import sys

import pytest
import requests

from local import processes
from local.face_emulator.control_api import TOKEN_VARIABLE
from local.face_emulator.control_client import Control, ControlError
from local.face_emulator.faults import ErrorResponse
from local.face_emulator.process import ROOT, FaceEmulator, find_endpoint, start_face_emulator
from tests.support.face_service import FaceService


def test_a_plan_is_of_one_group(face_emulator: FaceEmulator, service: FaceService) -> None:
    control = face_emulator.control
    control.plan("largePersonGroup", "slow", duration=3600)
    control.plan("largePersonGroup", "waiting", not_started=3600)
    control.plan(duration=0, outcome="failed", message="No faces.")
    for group_id in ("slow", "waiting", "other"):
        control.group("largePersonGroup", group_id, train=True)
    assert service.get("/largepersongroups/slow/training").json()["status"] == "running"
    assert service.get("/largepersongroups/waiting/training").json()["status"] == "notStarted"
    other = service.get("/largepersongroups/other/training").json()
    assert (other["status"], other["message"]) == ("failed", "No faces.")


def test_groups_are_filled_in_and_changed(face_emulator: FaceEmulator, service: FaceService) -> None:
    control = face_emulator.control
    control.fill(100, user_data=50)
    before = {group["dynamicPersonGroupId"]: group for group in service.get("/dynamicpersongroups").json()}
    assert {len(group["userData"]) for group in before.values()} == {50}
    told = control.change(added=3, removed=2, changed=4)
    after = {group["dynamicPersonGroupId"]: group for group in service.get("/dynamicpersongroups").json()}
    assert sorted(after.keys() - before.keys()) == told.added
    assert sorted(before.keys() - after.keys()) == told.removed
    kept = before.keys() & after.keys()
    assert sorted(group_id for group_id in kept if before[group_id] != after[group_id]) == told.changed
    assert (len(told.added), len(told.removed), len(told.changed)) == (3, 2, 4)


def test_requests_are_counted(face_emulator: FaceEmulator, service: FaceService) -> None:
    control = face_emulator.control
    control.plan(duration=3600)
    control.group("largePersonGroup", "g")
    service.call("POST", "/largepersongroups/g/train")
    service.call("POST", "/largepersongroups/g/train")
    service.get("/largepersongroups/g/training")
    control.faults(ErrorResponse())
    service.get("/largepersongroups/g/training")
    counted = control.statistics()
    assert counted.requests == {
        "largePersonGroup.train": {"202": 1, "409": 1},
        "largePersonGroup.training": {"200": 1, "500": 1},
    }
    assert counted.train_calls == {"largePersonGroup/g": {"202": 1, "409": 1}}
    assert counted.faults == {"ErrorResponse": 1}


def test_a_reset_forgets_everything(face_emulator: FaceEmulator, service: FaceService) -> None:
    control = face_emulator.control
    control.group("largePersonGroup", "g")
    control.fill(10)
    control.faults(ErrorResponse())
    control.settings(requests_per_second=1, latency=1)
    control.reset()
    assert [service.get(f"/{path}").json() for path in ("dynamicpersongroups", "largepersongroups")] == [[], []]
    control.reset()
    assert control.statistics().requests == {}


def test_an_order_that_cannot_be_carried_out_is_rejected(face_emulator: FaceEmulator) -> None:
    control = face_emulator.control
    with pytest.raises(ControlError, match="unknown kind 'faceList'; known are personGroup"):
        control.group("faceList", "g")
    with pytest.raises(ControlError, match="there are 0 groups; cannot remove 1 and change 0"):
        control.change(removed=1)
    with pytest.raises(ControlError, match=r"Expected `float` <= 1\.0 - at `\$\.faults\[0\]\.rate`"):
        control.faults(ErrorResponse(rate=2))
    with pytest.raises(ControlError, match="the shape 'one' is of one group; found a count of 2"):
        control.fill(2, shape="one")


def test_a_run_has_a_limit_and_a_key_of_its_own() -> None:
    with start_face_emulator(key="my own", requests_per_second=1) as emulator:
        service = FaceService(emulator.endpoint, "my own")
        emulator.control.reset()
        assert [service.get("/largefacelists").status_code for _ in range(2)] == [200, 429]
    with Control(emulator.endpoint, "any") as control, pytest.raises(requests.ConnectionError):
        control.reset()


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "wrong"])
def test_only_the_token_of_the_run_gives_control(face_emulator: FaceEmulator, token: str) -> None:
    headers = {"Authorization": token} if token else {}
    for method, path in (("GET", "statistics"), ("POST", "reset"), ("PUT", "faults"), ("POST", "fill")):
        address = f"{face_emulator.endpoint}/_emulator/{path}"
        response = requests.request(method, address, headers=headers, data=b"{}", timeout=30)
        assert response.status_code == 401
        assert "Authorization: Bearer TOKEN" in response.text


def test_an_emulator_that_is_given_no_token_prints_its_own() -> None:
    command = [sys.executable, "-m", "local.face_emulator"]
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    with processes.start(command, name="face emulator", cwd=ROOT, environment=environment) as child:
        line = child.wait_for(
            lambda lines: next((line for line in lines if "Token of the control API" in line), None),
            timeout=30,
            what="the token",
        )
        endpoint = find_endpoint(child.tail())
        assert endpoint
        with Control(endpoint, line.split()[-1]) as control:
            assert control.statistics().requests == {}


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_web_pages_of_elsewhere_are_rejected(face_emulator: FaceEmulator, headers: dict[str, str]) -> None:
    for path in ("/_emulator/statistics", "/face/v1.2/persongroups"):
        key = {"Ocp-Apim-Subscription-Key": face_emulator.key}
        response = requests.get(face_emulator.endpoint + path, headers=key | headers, timeout=30)
        assert response.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])  # noqa: S104 - it is rejected
def test_other_addresses_than_loopback_are_rejected(host: str) -> None:
    command = [sys.executable, "-m", "local.face_emulator", "--host", host]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own
    assert ended.returncode == 2
    assert f"found '{host}'; the emulator listens on 127.0.0.0/8 alone" in ended.stderr
