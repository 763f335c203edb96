"""The compiler builds, lints and formats every file without a word."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.infra.cases import VARIANTS
from tests.integration.infra.tools import INFRA, ROOT, STRICT, bicep, run

MODULES = sorted(INFRA.glob("*.bicep"))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_each_file_builds_and_lints_without_a_word(file: Path) -> None:
    for command in (("build", "--stdout"), ("lint",)):
        done = run(bicep(), *command, "--config", STRICT, file)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("file", [*MODULES, *sorted(VARIANTS.glob("*.bicepparam"))], ids=lambda file: file.name)
def test_each_file_is_formatted(file: Path) -> None:
    done = run(bicep(), "format", file, "--stdout")
    assert done.stdout == file.read_text(), f"run: bicep format {file.relative_to(ROOT)}"


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
