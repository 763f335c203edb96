"""Find and run the programs that check and compile Bicep."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
# The rules are errors here alone: a newer compiler's new warning must stop nobody's deployment.
STRICT = Path(__file__).parent / "bicepconfig.json"


def program(name: str, *, get: str) -> str:
    """Return the path of a program on PATH; skip the test if it is missing, and say how to get it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} on PATH: {get}")
    return path


def bicep() -> str:
    """Return the path of the compiler; skip the test if it is missing."""
    return program("bicep", get="install Bicep 0.49.2 or newer, https://aka.ms/install-bicep")


def uv() -> str:
    """Return uv, from PATH or as script/bootstrap installed it; skip the test if neither is there."""
    path = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/uv/bin")
    if path is None:
        pytest.skip("no uv on PATH or in .bootstrap/uv: run script/bootstrap")
    return path


def run(*command: str | Path, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    """Run a program to its end.

    Raises:
        subprocess.TimeoutExpired: if it takes longer.
    """
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)  # noqa: S603 - named by the tests
