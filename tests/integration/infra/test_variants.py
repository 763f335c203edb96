"""Each documented variant makes what is written down for it, and changes nothing else."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.infra.cases import CASES, VARIANTS, Case, Outcome
from tests.integration.infra.held import PLAIN, changes, expected, lines
from tests.integration.infra.tools import INFRA, bicep, run
from tests.support.arm.deployment import PUBLIC

HELD = [case for case in CASES if case.cloud is PUBLIC]


@pytest.mark.parametrize("case", HELD, ids=str)
def test_a_variant_makes_what_is_written_down(case: Case, outcome: Callable[[Case], Outcome]) -> None:
    found = lines(outcome(case))
    if case.variant != PLAIN:
        found = changes(lines(outcome(Case(PLAIN))), found)
    assert found == expected(case.variant), "if this is meant: python -m tests.integration.infra.held"


@pytest.mark.parametrize(
    ("variant", "touched"),
    [
        ("free-tier", {"setting FACE_MAX_TPS", "Microsoft.CognitiveServices/accounts"}),
        ("training", {"Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleDefinitions"}),
        ("operator", {"Microsoft.Authorization/roleAssignments"}),
        ("email", {"Microsoft.Insights/actionGroups", "Microsoft.Insights/scheduledQueryRules"}),
        ("audit", {"Microsoft.Insights/diagnosticSettings"}),
        ("entra", {"setting HTTP_AUTH", "Microsoft.Web/sites/config"}),
        (
            "event-grid",
            {
                "setting EVENTS_TOPIC_ENDPOINT",
                "Microsoft.EventGrid/topics",
                "Microsoft.Storage/storageAccounts/blobServices/containers",
                "Microsoft.Authorization/roleAssignments",
            },
        ),
    ],
)
def test_a_variant_touches_what_it_is_about_alone(variant: str, touched: set[str]) -> None:
    lines_of_it = [line.removeprefix("+ ").removeprefix("- ") for line in expected(variant)]
    kinds = {" ".join(line.split(" ")[: 2 if line.startswith("setting") else 1]) for line in lines_of_it}
    assert kinds == touched


def test_each_parameter_that_azd_asks_for_has_its_variant() -> None:
    asked = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    varied = {
        name
        for file in VARIANTS.glob("*.bicepparam")
        for name in re.findall(r"^param (\w+) =", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert asked.keys() <= varied


@pytest.mark.parametrize(
    ("fault", "says"), [("param faceSkuName = 'S1'", "'F0' | 'S0'"), ("param location = 'mars'", "'westeurope'")]
)
def test_a_parameter_with_a_fault_is_found(fault: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "faulty.bicepparam").write_text(f"using '{os.path.relpath(INFRA, tmp_path)}/main.bicep'\n{fault}\n")
    done = run(bicep(), "build-params", tmp_path / "faulty.bicepparam", "--stdout")
    assert done.returncode != 0
    assert says in done.stderr
