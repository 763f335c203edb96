"""The package manager, where ``script/bootstrap`` finds it or installs it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_uv(
    *arguments: str | Path, folder: Path = ROOT, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run uv in a folder, or skip the test where there is none."""
    program = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/uv/bin")
    if program is None:
        pytest.skip("no uv on PATH or in .bootstrap/uv: run script/bootstrap")
    command = [program, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - uv
