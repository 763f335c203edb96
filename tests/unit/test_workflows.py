"""The workflows hold no secret, and know the parameters that the deployment has."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github/workflows"


def test_no_workflow_needs_a_stored_secret() -> None:
    for workflow in WORKFLOWS.iterdir():
        assert "secrets." not in workflow.read_text()
    assert "id-token: write" in (WORKFLOWS / "deploy.yml").read_text()


def test_every_parameter_can_be_set_by_hand_and_by_the_workflow() -> None:
    parameters = (ROOT / "infra/main.bicepparam").read_text()
    read = dict(re.findall(r"readEnvironmentVariable\('(\w+)', '([^']*)'\)", parameters))
    del read["AZURE_ENV_NAME"]  # azd's own
    documented = (ROOT / "docs/deploying.md").read_text()
    workflow = (WORKFLOWS / "deploy.yml").read_text()
    for name, default in read.items():
        assert f"\n| `{name}` |" in documented
        assert f"{name}: ${{{{ vars.{name}{f" || '{default}'" if default else ''} }}}}" in workflow


def test_the_workflow_has_the_checkov_of_the_tests() -> None:
    pinned = re.compile(r"checkov==[\d.]+")
    in_tests = pinned.findall((ROOT / "tests/integration/infra/test_checkov.py").read_text())
    assert pinned.findall((WORKFLOWS / "test.yml").read_text()) == in_tests
