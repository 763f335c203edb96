"""Run what checks and compiles Bicep, where it is installed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"


def program(name: str, *, get: str) -> str:
    """Return where a program is on PATH; skip the test where it is not, and say how to get it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on PATH: {get}")
    return found


def uv() -> str:
    """Return uv: the one on PATH, else the one that script/bootstrap installed; skip the test where neither is."""
    found = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/uv/bin")
    if found is None:
        pytest.skip("no uv on PATH or in .bootstrap/uv: run script/bootstrap")
    return found


def run(*command: str | Path, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return what it said; raise ``subprocess.TimeoutExpired`` where it takes longer."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)  # noqa: S603 - named by the tests


def compile_bicep(infra: Path) -> dict[str, Any]:
    """Return the template that ``main.bicep`` of a folder compiles to: by ``bicep``, else by ``bicep-check``."""
    main = infra / "main.bicep"
    if bicep := shutil.which("bicep"):
        done = run(bicep, "build", main, "--stdout")
    else:
        checker = program("bicep-check", get="install Bicep, https://aka.ms/install-bicep")
        done = run(checker, "build", main, "--stdout")
    assert done.returncode == 0, done.stderr + done.stdout
    template: dict[str, Any] = json.loads(done.stdout)
    return template
