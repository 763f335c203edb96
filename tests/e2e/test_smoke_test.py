"""The smoke test after a deployment, against the whole app: it passes where the app works, and fails where not."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.hooks.postdeploy import NotProven, caller, prove
from local.face_emulator.faults import ErrorResponse
from local.functions_host import HostKind
from local.stack import Stack, start_stack
from tests.e2e.conftest import SETTINGS
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
HEADER = "x-functions-key"


def key_of(stack: Stack) -> str:
    """Return the key that opens the HTTP functions; func asks for none."""
    return stack.host.keys.function_keys["default"] if stack.host.keys else "none"


def test_it_passes_where_the_app_works_and_takes_no_event(stack: Stack, inbox: Inbox, tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\necho '{json.dumps({'functionKeys': {'default': key_of(stack)}})}'\n")
    az.chmod(stat.S_IRWXU)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FUNCTION_APP_URL": stack.host.endpoint,
        "AZURE_FUNCTION_APP_NAME": "app",
        "AZURE_RESOURCE_GROUP": "group",
    }
    command = [sys.executable, "-m", "infra.hooks.postdeploy"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert (done.returncode, done.stderr) == (0, "")
    assert "ended as notFound" in done.stdout
    assert '"status": "healthy"' in done.stdout
    (group_id,) = {word.rstrip(",") for word in done.stdout.split() if word.startswith("smoke-test-")}
    wait_for(
        lambda: [each for each in inbox.events if each["data"]["groupId"] == group_id], what="the event to be there yet"
    )


def test_a_wrong_key_fails_it(stack: Stack) -> None:
    if not stack.host.keys:
        pytest.skip("func asks for no key")
    with pytest.raises(NotProven, match=r"refuses the call \(401\)"):
        prove(caller(stack.host.endpoint, {HEADER: "wrong"}), seconds=0.5, pause=0.1)


def test_a_face_resource_that_refuses_fails_it_with_the_reason(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind, settings=SETTINGS) as stack:
        stack.face.control.faults(ErrorResponse(status=401, code="401"))
        with pytest.raises(NotProven) as failure:
            prove(caller(stack.host.endpoint, {HEADER: key_of(stack)}), seconds=5, pause=0.5)
    assert '"state": "open"' in str(failure.value)
    assert "401" in str(failure.value)
    assert "Roles newly granted" in str(failure.value)
