"""The compilers and checkers of Bicep find nothing; each is asked where it is on PATH."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.infra.tools import INFRA, ROOT, program, run

BICEP = "install Bicep, https://aka.ms/install-bicep"


def test_bicep_check_finds_nothing() -> None:
    done = run(program("bicep-check", get="it is an offline checker for machines without Bicep"), INFRA)
    assert done.returncode == 0, done.stdout


def test_bicep_check_finds_a_misspelt_property(tmp_path: Path) -> None:
    checker = program("bicep-check", get="it is an offline checker for machines without Bicep")
    whole = (INFRA / "face.bicep").read_text()
    (tmp_path / "face.bicep").write_text(whole.replace("disableLocalAuth", "disableLocalAuthentication"))
    done = run(checker, tmp_path)
    assert done.returncode == 1
    assert "disableLocalAuthentication" in done.stdout


@pytest.mark.parametrize("command", ["build", "lint"])
def test_bicep_finds_nothing(command: str) -> None:
    done = run(
        program("bicep", get=BICEP), command, INFRA / "main.bicep", *(["--stdout"] if command == "build" else [])
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_parameters_compile() -> None:
    done = run(program("bicep", get=BICEP), "build-params", INFRA / "main.bicepparam", "--stdout")
    assert done.returncode == 0, done.stderr
    parameters = json.loads(json.loads(done.stdout)["parametersJson"])["parameters"]
    assert parameters["networkIsolation"]["value"] is False


def test_every_rule_of_the_linter_is_an_error() -> None:
    config = json.loads((INFRA / "bicepconfig.json").read_text())
    assert {rule["level"] for rule in config["analyzers"]["core"]["rules"].values()} == {"error"}


def test_every_file_is_formatted() -> None:
    for file in sorted(INFRA.glob("*.bicep*")):
        done = run(program("bicep", get=BICEP), "format", file, "--stdout")
        assert done.stdout == file.read_text(), f"bicep format {file.relative_to(ROOT)}"


def test_every_module_is_of_this_repository() -> None:
    modules = set(
        re.findall(r"^module \w+ '([^']+)'", "".join(map(Path.read_text, INFRA.glob("*.bicep"))), re.MULTILINE)
    )
    assert modules | {"main.bicep"} == {file.name for file in INFRA.glob("*.bicep")}


def test_every_query_is_used() -> None:
    bicep = "".join(file.read_text() for file in INFRA.glob("*.bicep"))
    used = set(re.findall(r"loadTextContent\('queries/([\w.-]+)'\)", bicep))
    assert used == {file.name for file in (INFRA / "queries").iterdir()}
