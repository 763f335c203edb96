"""The stack comes up whole or not at all."""

import os
from pathlib import Path

import pytest
import requests

from local.connection import read_connection
from local.face_emulator.control_client import Control
from local.functions_host import HostKind
from local.logs import DIRECTORY
from local.processes import ChildError
from local.stack import Stack, start_stack
from tests.e2e.processes_of import descendants, still_living


def test_a_setting_that_cannot_be_used_ends_the_stack_and_is_named(host_kind: HostKind) -> None:
    before = descendants(os.getpid())
    with (
        pytest.raises(ChildError, match="WATCH_MAX_DELAY_SECONDS is 'nonsense'"),
        start_stack(host_kind=host_kind, settings={"WATCH_MAX_DELAY_SECONDS": "nonsense"}),
    ):
        pytest.fail("the stack came up")
    assert descendants(os.getpid()) == before


def test_leaving_the_block_ends_all_parts(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind) as stack:
        pids = {child.process.pid for child in stack.children}
        parts = {process for process in descendants(os.getpid()) if process.pid in pids}
        assert len(parts) == 3
    assert not still_living(parts)


def test_a_restarted_host_answers_at_the_same_address(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind) as stack:
        first = stack.host
        stack.restart_host()
        assert stack.host.endpoint == first.endpoint
        assert stack.host.child.process.pid != first.child.process.pid
        assert first.child.process.returncode is not None


def test_a_file_says_how_to_reach_it_while_it_runs(host_kind: HostKind, tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    with start_stack(host_kind=host_kind, connection_file=path) as stack:
        connection = read_connection(path)
        assert connection == stack.connection
        headers = {"x-functions-key": connection.master_key or ""}
        status = requests.get(f"{connection.address}/admin/host/status", headers=headers, timeout=30)
        assert status.json()["state"] == "Running"
        with Control(connection.face_endpoint, connection.face_control_token or "") as control:
            control.reset()
    assert not path.exists()


def test_the_logs_of_all_parts_are_in_one_file_of_the_checkout(stack: Stack) -> None:
    assert stack.logs.path.parent == DIRECTORY
    parts = {line.split()[1] for line in stack.logs.path.read_text().splitlines()}
    assert parts == {"azurite", "face", "host"}


def test_the_host_gets_no_setting_from_our_environment(host_kind: HostKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__queues__batchSize", "no number, which the host rejects")
    with start_stack(host_kind=host_kind) as stack:
        assert stack.host.child.process.poll() is None
