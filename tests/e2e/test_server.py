"""``script/server`` holds the stack up, and leaves nothing running however it ends."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import processes
from local.functions_host import HostKind
from local.ports import USUAL_HOST_PORT
from local.processes import Child
from local.stack import Stack
from local.to_try import what_to_try
from tests.e2e.processes_of import Process, descendants, still_living
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc, which only Linux has")


@contextmanager
def server(host_kind: HostKind) -> Iterator[Child]:
    """Run ``script/server``, one at a time on this machine: two that start at once would want the same ports."""
    with (Path(tempfile.gettempdir()) / "face-group-ops-usual-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with processes.start([ROOT / "script/server", "--host", host_kind.value], name="script/server") as child:
            yield child


def wait_for_parts(child: Child) -> set[Process]:
    """Return the processes of a server once it is up."""
    child.wait_for(
        lambda lines: "To try, in another terminal:" in lines or None, timeout=100, what="the stack to be up"
    )
    assert any(re.search(r"Page +http://127\.0\.0\.1:\d+/api/ui", line) for line in child.tail())
    parts = descendants(child.process.pid)
    assert len(parts) >= 3, "expected Azurite, the emulator and the host"
    return parts


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGINT, 0, id="ctrl-c"),
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, id="terminated"),
        pytest.param(signal.SIGHUP, 128 + signal.SIGHUP, id="terminal-closed"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, id="killed"),
    ],
)
def test_nothing_is_left_running(host_kind: HostKind, number: signal.Signals, status: int) -> None:
    with server(host_kind) as child:
        parts = wait_for_parts(child)
        child.process.send_signal(number)
        assert child.process.wait(30) == status
        wait_for(lambda: not still_living(parts), what="all that the server started to end", timeout=10)


def test_a_part_that_ends_by_itself_ends_the_others(host_kind: HostKind) -> None:
    with server(host_kind) as child:
        parts = wait_for_parts(child)
        emulator = next(part for part in parts if "local.face_emulator" in part.command)
        emulator.kill()
        assert child.process.wait(30) == 1
        assert any("face emulator: it was to run until Ctrl-C" in line for line in child.tail())
        wait_for(lambda: not still_living(parts), what="all that the server started to end", timeout=10)


def test_free_ports_are_taken_where_the_usual_ones_are_not(host_kind: HostKind) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", USUAL_HOST_PORT))
            taken.listen()
        except OSError:
            pass  # another program has it, which serves as well
        with server(host_kind) as child:
            wait_for_parts(child)
            assert not any(f"127.0.0.1:{USUAL_HOST_PORT}" in line for line in child.tail())


def test_what_it_prints_to_try_works_when_it_is_run_at_once(stack: Stack, tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("az.py")}" "$@"\n')
    az.chmod(0o755)
    commands = what_to_try(stack).partition("\n")[2]
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": ""}
    command = ["bash", "-euo", "pipefail", "-c", commands.replace("curl ", "curl -sSf ")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    assert '"type":"face.training.succeeded","' in done.stdout.replace(" ", "")
    assert "latest" in done.stdout
