"""What is installed in Azure is what the lock file names, byte for byte."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_requirements_are_those_of_the_lock_with_their_hashes() -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".bootstrap/uv/bin")
    if uv is None:
        pytest.skip("no uv on PATH or in .bootstrap/uv: run script/bootstrap")
    # The file's first lines say how it is made.
    export = "export --quiet --locked --offline --no-default-groups --no-annotate"
    made = subprocess.run([uv, *export.split()], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - uv
    assert _pins((ROOT / "requirements.txt").read_text()) == _pins(made.stdout), "requirements.txt is not up to date"
    assert "--hash=sha256:" in made.stdout


def _pins(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]
