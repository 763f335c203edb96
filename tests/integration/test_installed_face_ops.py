"""``uv tool install .`` installs the command line, which then runs in any folder."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.uv import ROOT, run_uv

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

type Run = Callable[..., subprocess.CompletedProcess[str]]

# The first run fetches what is not in uv's cache.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the program into a folder of its own, from the wheel, and return that folder."""
    folder = tmp_path_factory.mktemp("installed")
    environment = {
        **os.environ,
        "UV_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
    }
    for arguments in (
        ("build", "--wheel", "--out-dir", folder / "wheels", ROOT),
        ("tool", "install", folder / "wheels" / f"face_group_ops-{VERSION}-py3-none-any.whl"),
    ):
        done = run_uv(*arguments, folder=folder, environment=environment)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def face_ops(installed: Path, tmp_path: Path) -> Run:
    """Return the installed program, which runs in an empty folder."""

    def run(*arguments: str, in_bash: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        program = str(installed / "bin/face-ops")
        command = ["bash", "-c", f"'{program}' {' '.join(arguments)}; exit $?"] if in_bash else [program, *arguments]
        variables = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - ours

    return run


def test_it_runs_in_another_folder(face_ops: Run) -> None:
    assert face_ops("--version").stdout == f"face-ops {VERSION}\n"
    assert "List the snapshots, newest first." in face_ops("snapshots", "--help").stdout
    without_stack = face_ops("--local", "snapshots")
    assert (without_stack.returncode, ".stack/connection.json" in without_stack.stderr) == (2, True)


def test_the_wheel_holds_the_command_line_and_the_product_alone(installed: Path) -> None:
    (packages,) = installed.glob("tools/face-group-ops/lib/*/site-packages")
    record = (packages / f"face_group_ops-{VERSION}.dist-info/RECORD").read_text()
    folders = {line.split("/")[0] for line in record.splitlines() if not line.startswith("..")}
    assert folders == {"cli", "shared", f"face_group_ops-{VERSION}.dist-info"}


def test_a_shell_completes_its_commands(face_ops: Run) -> None:
    script = face_ops("--show-completion", in_bash=True).stdout
    assert "complete -o default -F _face_ops_completion face-ops" in script
    words = {"_FACE_OPS_COMPLETE": "complete_bash", "COMP_WORDS": "face-ops rest", "COMP_CWORD": "1"}
    assert face_ops(**words).stdout.split() == ["restore"]
