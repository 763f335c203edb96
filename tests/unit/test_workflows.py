"""The workflows hold no secret, run fixed actions, and know the parameters that the deployment has."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / ".github/workflows").iterdir()}
PARAMETERS = (ROOT / "infra/main.parameters.json").read_text(encoding="utf-8")
KNOBS = dict(re.findall(r"\$\{(\w+)=([^}]*)\}", PARAMETERS))
"""Each environment variable that azd reads, and its default."""


def test_no_workflow_needs_a_stored_secret() -> None:
    assert not [name for name, text in WORKFLOWS.items() if "secrets." in text]
    assert "id-token: write" in WORKFLOWS["azure-dev.yml"]


def test_the_credential_that_azd_makes_is_the_one_that_the_workflow_asks_for() -> None:
    # azd pipeline config makes credentials for a branch and for pull requests; an environment has another subject.
    assert not re.search(r"^\s+environment:", WORKFLOWS["azure-dev.yml"], re.MULTILINE)


def test_each_action_is_a_commit_of_a_named_version() -> None:
    for name, text in WORKFLOWS.items():
        for action in re.findall(r"uses: ([^.\s].*)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), f"{name}: {action}"


def test_every_parameter_can_be_set_by_hand_and_by_the_workflow() -> None:
    documented = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
    azure_yaml = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    for name, default in KNOBS.items():
        assert re.search(rf"^\| `{name}` \|.*\| `{default}` \|$", documented, re.MULTILINE), name
        assert f"      {name}: ${{{{ vars.{name} }}}}\n" in WORKFLOWS["azure-dev.yml"]
        assert f"    - {name}\n" in azure_yaml


def test_the_parameters_are_those_of_the_template() -> None:
    template = (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
    declared = dict(re.findall(r"^param (\w+ (?:bool|int|string))(?: = (.*))?$", template, re.MULTILINE))
    types = dict(each.split() for each in declared)
    for name, given in json.loads(PARAMETERS)["parameters"].items():
        default = re.sub(r"\$\{\w+=?([^}]*)\}", r"\1", given["value"])
        # A deployment without azd has the same defaults.
        assert default == declared[f"{name} {types[name]}"].strip("'"), name


def test_each_setting_of_the_app_can_be_given_in_the_options() -> None:
    template = (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
    options = set(re.findall(r"^  ([A-Z_]+): string\? //", template, re.MULTILINE))
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    apps = {name for name in sample if re.match(r"FACE_|WATCH_|SNAPSHOT_|EVENTS_|HTTP_AUTH", name)}
    made_by_the_template = {"FACE_ENDPOINT", "FACE_KEY", "EVENTS_TOPIC_ENDPOINT", "HTTP_AUTH"}
    assert options == apps - made_by_the_template


def test_the_workflow_has_the_tools_of_the_tests() -> None:
    pinned = re.compile(r"checkov==[\d.]+")
    in_tests = pinned.findall((ROOT / "tests/integration/infra/test_checkov.py").read_text(encoding="utf-8"))
    assert pinned.findall(WORKFLOWS["test.yml"]) == in_tests
    assert "az bicep install --version v0." in WORKFLOWS["test.yml"]


@pytest.mark.parametrize(
    ("checker", "right", "wrong"),
    [
        (("actionlint",), "needs: test", "needs: tests"),
        (("actionlint",), "vars.AZURE_CLIENT_ID != ''", "var.AZURE_CLIENT_ID != ''"),
        (("zizmor", "--offline", "--quiet"), "          persist-credentials: false\n", ""),
        (("zizmor", "--offline", "--quiet"), "@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6"),
        (("check-jsonschema", "--builtin-schema", "vendor.github-workflows"), "timeout-minutes: 60", "timeout: 60"),
    ],
)
def test_a_fault_in_a_workflow_is_found(checker: tuple[str, ...], right: str, wrong: str, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / ".github", tmp_path / ".github")
    workflow = folder / "workflows/azure-dev.yml"

    def check() -> int:
        command: list[str | Path] = [Path(sys.prefix, "bin", checker[0]), *checker[1:], workflow]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode  # noqa: S603 - ours

    assert check() == 0
    whole = workflow.read_text(encoding="utf-8")
    assert right in whole
    workflow.write_text(whole.replace(right, wrong), encoding="utf-8")
    assert check() != 0
