import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from local import processes
from local.processes import Child, ChildError

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
# Holds the named pipe open for as long as it lives.
HOLDER = "import sys, time; held = open(sys.argv[1], 'w'); time.sleep(600)"
GRANDPARENT = textwrap.dedent(f"""
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-c", {HOLDER!r}, sys.argv[1]])
    time.sleep(600)
""")
PARENT = textwrap.dedent(f"""
    import sys, time
    from local import processes
    with processes.start([sys.executable, "-c", {HOLDER!r}, sys.argv[1]], name="holder"):
        time.sleep(600)
""")


def run(script: str, *arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-c", script, *arguments]


def wait_ready(child: Child) -> None:
    child.wait_for(lambda lines: "ready" in lines or None, timeout=30, what="it to be ready")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_leaving_the_block_ends_the_child() -> None:
    with processes.start(run(SLEEPER), name="sleeper") as child:
        wait_ready(child)
    assert child.process.returncode == -15


def test_a_failure_in_the_block_ends_the_child() -> None:
    with pytest.raises(ZeroDivisionError), processes.start(run(SLEEPER), name="sleeper") as child:
        raise ZeroDivisionError
    assert child.process.returncode is not None


def test_a_child_that_ignores_the_request_to_end_is_killed() -> None:
    with processes.start(run(STUBBORN), name="stubborn") as child:
        wait_ready(child)
        assert child.stop(grace=0.1) == -9


@pytest.mark.timeout(30)
def test_what_the_child_started_ends_with_it(pipe: Path) -> None:
    with processes.start(run(GRANDPARENT, pipe), name="grandparent"):
        held = pipe.open()
    with held:
        assert held.read() == ""  # returns once nobody holds the pipe


@pytest.mark.timeout(30)
def test_the_child_ends_when_its_parent_is_killed(pipe: Path) -> None:
    with processes.start(run(PARENT, pipe), name="parent") as parent, pipe.open() as held:
        parent.process.kill()
        assert held.read() == ""  # returns once nobody holds the pipe


def test_lines_of_both_streams_arrive_in_order() -> None:
    seen: list[str] = []
    script = "import sys; print('one', flush=True); print('two', file=sys.stderr, flush=True); print('three')"
    with processes.start(run(script), name="talker", on_line=seen.append) as child:
        child.process.wait(30)
    assert seen == ["one", "two", "three"]


def test_a_child_has_the_given_environment_and_directory(tmp_path: Path) -> None:
    script = "import os; print(os.environ.get('GIVEN'), os.environ.get('HOME'), os.getcwd())"
    with processes.start(run(script), name="talker", cwd=tmp_path, environment={"GIVEN": "yes"}) as child:
        child.process.wait(30)
    assert child.tail() == [f"yes None {tmp_path}"]


def test_waiting_for_a_child_that_ends_raises_with_its_last_words() -> None:
    with processes.start(run("print('out of luck'); raise SystemExit(3)"), name="unlucky") as child:
        child.process.wait(30)
        with pytest.raises(ChildError, match=r"unlucky: .*ended with status 3[^$]*out of luck"):
            wait_ready(child)


def test_waiting_in_vain_says_that_the_child_still_runs() -> None:
    def never(_: Sequence[str]) -> None:
        return None

    with (
        processes.start(run(SLEEPER), name="sleeper") as child,
        pytest.raises(ChildError, match="for a miracle, but the program is still running"),
    ):
        child.wait_for(never, timeout=0.1, what="a miracle")


def test_a_killed_child_is_gone_at_once() -> None:
    with processes.start(run(SLEEPER), name="sleeper") as child:
        wait_ready(child)
        assert child.kill() == -9
        assert child.kill() == -9
