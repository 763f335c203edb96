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


def scan(checkov: tuple[str, ...], framework: str, directory: Path) -> dict[str, Any]:
    done = run(*checkov, "-d", directory, "--framework", framework, "--skip-download", "-o", "json", seconds=300)
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


def test_the_bicep_passes(checkov: tuple[str, ...]) -> None:
    report = scan(checkov, "bicep", INFRA)
    assert [(one["check_id"], one["resource"]) for one in report["results"]["failed_checks"]] == []
    used = {(one["check_id"], one["resource"].rpartition(".")[0]) for one in report["results"]["skipped_checks"]}
    assert skips() == used, "a reason stands beside a resource that does not need it"


def test_a_fault_is_found(checkov: tuple[str, ...], tmp_path: Path) -> None:
    whole = (INFRA / "storage-account.bicep").read_text()
    (tmp_path / "storage-account.bicep").write_text(whole.replace("TLS1_2", "TLS1_0"))
    report = scan(checkov, "bicep", tmp_path)
    assert "CKV_AZURE_44" in {one["check_id"] for one in report["results"]["failed_checks"]}


def test_the_resolved_templates_pass(
    checkov: tuple[str, ...], tmp_path: Path, outcome: Callable[[Case], Outcome]
) -> None:
    for number, case in enumerate(CASES):
        (tmp_path / f"{number}.json").write_text(json.dumps(_template(outcome(case))))
    report = scan(checkov, "arm", tmp_path)
    allowed = skips()
    for failed in report["results"]["failed_checks"]:
        case = CASES[int(Path(failed["file_path"]).stem)]
        found = failed["check_id"], re.sub(r"\.[^./]+$", "", failed["resource"])
        assert found in allowed, f"{failed['check_name']} ({case})"
        assert not (outcome(case).isolated and failed["check_id"] in OF_ISOLATION), f"{failed['check_name']} ({case})"


def _template(outcome: Outcome) -> dict[str, Any]:
    """Return what is deployed as one template, without modules and expressions, which checkov does not read."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [resource.body for resource in outcome.deployment.resources],
    }
