"""Checkov finds nothing that is not skipped with a reason beside the resource."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.infra.cases import CASES, Case, Outcome
from tests.integration.infra.tools import INFRA, run, uv

# Its dependencies exclude those of pytest, so it gets an environment of its own.
CHECKOV = "checkov==3.3.30"
# What is skipped because it depends on networkIsolation has to pass where that is true.
OF_ISOLATION = {"CKV_AZURE_35", "CKV_AZURE_59", "CKV_AZURE_134"}

pytestmark = [pytest.mark.timeout(400), pytest.mark.exhaustive]


@pytest.fixture(scope="module")
def checkov() -> tuple[str, ...]:
    """Return the command: checkov of PATH, else by uv from PyPI or its cache."""
    if found := shutil.which("checkov"):
        return (found,)
    command = (uv(), "tool", "run", "--python", sys.executable, "--from", CHECKOV, "checkov")
    done = run(*command, "--version", seconds=300)
    if done.returncode:
        pytest.skip(f"no checkov on PATH, and uv could not get it: {done.stderr.strip().splitlines()[-1]}")
    return command


def scan(checkov: tuple[str, ...], directory: Path) -> dict[str, Any]:
    done = run(*checkov, "-d", directory, "--framework", "arm", "--skip-download", "-o", "json", seconds=300)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["passed"] > 0
    assert report["summary"]["parsing_errors"] == 0, report["results"]["parsing_errors"]
    return report


def skips() -> set[tuple[str, str]]:
    """Return the checks that are skipped, each with the type of the resource beside which its reason stands."""
    found = set()
    for file in INFRA.glob("*.bicep"):
        kind = ""
        for line in file.read_text().splitlines():
            if declared := re.match(r"resource \w+ '([\w./]+)@", line):
                kind = declared[1]
            if skipped := re.search(r"checkov:skip=(\w+): \S+ \S+", line):
                found.add((skipped[1], kind))
    return found


def test_what_would_be_deployed_passes(
    checkov: tuple[str, ...], tmp_path: Path, outcome: Callable[[Case], Outcome]
) -> None:
    for number, case in enumerate(CASES):
        (tmp_path / f"{number}.json").write_text(json.dumps(_template(outcome(case))))
    found = set()
    for failed in scan(checkov, tmp_path)["results"]["failed_checks"]:
        case = CASES[int(Path(failed["file_path"]).stem)]
        found.add((failed["check_id"], re.sub(r"\.[^.]+$", "", failed["resource"])))
        assert not (outcome(case).isolated and failed["check_id"] in OF_ISOLATION), f"{failed['check_name']} ({case})"
    assert found == skips(), "a check fails without a reason beside its resource, or a reason is not needed any more"


def test_a_fault_is_found(checkov: tuple[str, ...], tmp_path: Path, outcome: Callable[[Case], Outcome]) -> None:
    template = json.dumps(_template(outcome(CASES[0])))
    assert "TLS1_2" in template
    (tmp_path / "faulty.json").write_text(template.replace("TLS1_2", "TLS1_0"))
    assert "CKV_AZURE_44" in {one["check_id"] for one in scan(checkov, tmp_path)["results"]["failed_checks"]}


def _template(outcome: Outcome) -> dict[str, Any]:
    """Return what is deployed as one template, without modules and expressions, which checkov does not read."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        # Checkov takes any configuration of a site for its web configuration.
        "resources": [one.body for one in outcome.deployment.resources if one.kind != "Microsoft.Web/sites/config"],
    }
