"""What is installed in Azure is what the lock file names."""

import re

from tests.support.uv import ROOT, run_uv


def test_requirements_are_those_of_the_lock() -> None:
    # The file's first lines say how it is made.
    export = "export --quiet --locked --offline --no-default-groups --no-emit-project --prune rich --prune typer"
    made = run_uv(*export.split(), "--no-annotate")
    assert made.returncode == 0, made.stderr
    assert _lines((ROOT / "requirements.txt").read_text()) == _lines(made.stdout), "requirements.txt is not up to date"


def test_every_package_is_held_to_its_hashes() -> None:
    for requirement in "\n".join(_lines((ROOT / "requirements.txt").read_text())).replace("\\\n", "").splitlines():
        assert re.search(r"==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]
