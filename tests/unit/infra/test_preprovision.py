"""The check before provisioning finds what would fail, against a stand-in of ``az`` on PATH."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.hooks.preprovision import knobs

ROOT = Path(__file__).parents[3]
DELETED = (
    "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/westeurope/resourceGroups/rg-face"
    "/deletedAccounts/face-ops-abc"
)
HEALTHY: dict[str, Any] = {
    "functionapp list-flexconsumption-locations": [{"name": "westeurope"}],
    "cognitiveservices account list-skus": [{"name": "S0"}],
    "cognitiveservices account list": [{"kind": "Face", "id": "/x"}],
    "cognitiveservices account list-deleted": [],
    "provider list": [
        {"namespace": f"Microsoft.{name}", "registrationState": "Registered"}
        for name in ("CognitiveServices", "Storage", "Web", "Network")
    ],
    "rest": {"value": [{"actions": ["*"], "notActions": []}]},
}
STAND_IN = """#!{python}
import json, pathlib, sys
told = json.loads(pathlib.Path(__file__).with_name("answers.json").read_text())
words = " ".join(one for one in sys.argv[1:4] if not one.startswith("-"))
for key in sorted(told, key=len, reverse=True):
    if words.startswith(key):
        if told[key] == "refused":
            print("ERROR: (AuthorizationFailed) no", file=sys.stderr)
            sys.exit(1)
        print(json.dumps(told[key]))
        break
else:
    sys.exit(f"nobody told what to say to {{words}}")
"""
AZD = '#!/bin/sh\necho "$2 $3 $4" >> "$(dirname "$0")/kept"\n'

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the hook as azd does, with some answers and some of its environment changed."""

    def run(answers: dict[str, Any] | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        for name, text in (("az", STAND_IN.format(python=sys.executable)), ("azd", AZD)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(stat.S_IRWXU)
        (tmp_path / "answers.json").write_text(json.dumps(HEALTHY | (answers or {})))
        given = {
            "AZURE_ENV_NAME": "production",
            "AZURE_LOCATION": "westeurope",
            "AZURE_SUBSCRIPTION_ID": "s",
            "AZURE_RESOURCE_GROUP": "rg-face",
            **knobs(),
            **environment,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        }
        command = [sys.executable, "-m", "infra.hooks.preprovision"]
        return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)  # noqa: S603

    return run


def test_a_sound_environment_passes_without_a_word(run: Run) -> None:
    done = run()
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.mark.parametrize(
    ("answers", "environment", "says"),
    [
        ({"functionapp list-flexconsumption-locations": []}, {}, "westeurope has no Flex Consumption"),
        ({"cognitiveservices account list-skus": []}, {}, "westeurope has no Face"),
        ({"provider list": []}, {}, "az provider register --wait --namespace Microsoft.Web"),
        ({}, {"NETWORK_ISOLATION": "true"}, "az provider register --wait --namespace Microsoft.App"),
        ({"cognitiveservices account list": []}, {}, "azd env set FACE_TERMS_ACCEPTED true"),
        (
            {"cognitiveservices account list-deleted": [{"kind": "Face", "id": DELETED}]},
            {},
            "account recover --location westeurope --resource-group rg-face --name face-ops-abc",
        ),
        (
            {"rest": {"value": [{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}]}},
            {},
            "you lack Microsoft.Authorization/roleAssignments/write",
        ),
    ],
)
def test_what_would_fail_later_stops_it_and_says_what_to_do(
    run: Run, answers: dict[str, Any], environment: dict[str, str], says: str
) -> None:
    done = run(answers, **environment)
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.parametrize(
    ("answers", "environment"),
    [
        ({"cognitiveservices account list": []}, {"FACE_TERMS_ACCEPTED": "true"}),
        ({"cognitiveservices account list": []}, {"EXISTING_FACE_ID": "/subscriptions/s/x"}),
        ({"cognitiveservices account list-deleted": [{"kind": "Face", "id": DELETED.replace("rg-face", "rg-x")}]}, {}),
        (
            {
                "cognitiveservices account list-deleted": [
                    {"kind": "Face", "id": DELETED, "tags": {"azd-env-name": "another"}}
                ]
            },
            {},
        ),
    ],
)
def test_what_does_not_concern_it_is_passed_over(
    run: Run, answers: dict[str, Any], environment: dict[str, str]
) -> None:
    assert run(answers, **environment).returncode == 0


def test_what_azure_does_not_say_is_named_and_stops_nobody(run: Run) -> None:
    done = run({"provider list": "refused"})
    assert done.returncode == 0
    assert "not checked: providers: ERROR: (AuthorizationFailed)" in done.stderr


def test_defaults_are_kept_so_that_a_pipeline_gets_them_too(run: Run, tmp_path: Path) -> None:
    assert run(FACE_SKU="", ALERT_EMAIL="").returncode == 0
    assert (tmp_path / "kept").read_text().splitlines() == ["set FACE_SKU S0", "set ALERT_EMAIL none"]


def test_a_pipeline_without_a_value_changes_nothing(run: Run, tmp_path: Path) -> None:
    done = run(NETWORK_ISOLATION="", CI="true")
    assert done.returncode == 1
    assert "no value for NETWORK_ISOLATION (default: false)" in done.stderr
    assert not (tmp_path / "kept").exists()
