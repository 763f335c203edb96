"""The compiler builds, lints and formats every file without a word."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.integration.infra.cases import VARIANTS
from tests.integration.infra.tools import INFRA, ROOT, STRICT, bicep, run

MODULES = sorted(INFRA.glob("*.bicep"))


def test_it_builds_without_a_word() -> None:
    done = run(bicep(), "build", "--stdout", "--config", STRICT, INFRA / "main.bicep")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_file_by_itself_lints_without_a_word() -> None:
    done = run(bicep(), "lint", "--config", STRICT, "--pattern", INFRA / "*.bicep")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_is_an_error_of_the_strict_rules(tmp_path: Path) -> None:
    (tmp_path / "faulty.bicep").write_text("param nobodyReadsThis string\n")
    done = run(bicep(), "lint", "--config", STRICT, tmp_path / "faulty.bicep")
    assert done.returncode != 0
    assert "no-unused-params" in done.stderr


@pytest.mark.parametrize("folder", [INFRA, VARIANTS], ids=lambda folder: folder.name)
def test_each_file_is_formatted(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / folder.name)
    kind = "*.bicep" if folder is INFRA else "*.bicepparam"
    assert run(bicep(), "format", "--pattern", copy / kind).returncode == 0
    for file in folder.glob(kind):
        assert (copy / file.name).read_text() == file.read_text(), f"run: bicep format {file.relative_to(ROOT)}"


def test_every_rule_of_the_linter_is_an_error_here_and_nowhere_else() -> None:
    config = json.loads(STRICT.read_text())
    assert {rule["level"] for rule in config["analyzers"]["core"]["rules"].values()} == {"error"}
    assert list(INFRA.rglob("bicepconfig.json")) == []


def test_every_module_is_of_this_repository() -> None:
    source = "".join(file.read_text() for file in MODULES)
    modules = set(re.findall(r"^module \w+ '([^']+)'", source, re.MULTILINE))
    assert modules | {"main.bicep"} == {file.name for file in MODULES}


def test_every_query_is_used() -> None:
    source = "".join(file.read_text() for file in MODULES)
    used = set(re.findall(r"loadTextContent\('queries/([\w.-]+)'\)", source))
    assert used == {file.name for file in (INFRA / "queries").iterdir()}
