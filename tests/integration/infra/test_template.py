"""What is deployed keeps its promises, and each promise is seen to be broken where a fault is put in."""

import shutil
from pathlib import Path

import pytest

from shared.settings import SettingsError
from tests.integration.infra.cases import CASES, Case, resolved
from tests.integration.infra.faults import FAULTS, Edit
from tests.integration.infra.promises import PROMISES, Promise
from tests.integration.infra.tools import INFRA, compile_bicep
from tests.support.arm.template import AbsentResource, resolve


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_template_keeps_its_promise(promise: Promise, case: Case) -> None:
    promise(resolved(case.name), case)


def test_each_promise_has_a_fault_that_breaks_it() -> None:
    assert set(FAULTS) == set(PROMISES)


@pytest.mark.parametrize(
    ("promise", "fault"),
    [
        pytest.param(promise, fault, id=f"{promise.__name__}-{number}")
        for promise, faults in FAULTS.items()
        for number, fault in enumerate(faults)
    ],
)
def test_a_fault_breaks_its_promise(promise: Promise, fault: Edit, tmp_path: Path) -> None:
    file, old, new = fault
    infra = shutil.copytree(INFRA, tmp_path / "infra")
    (infra / "bicepconfig.json").unlink()  # the linter would see some of the faults first
    whole = (infra / file).read_text()
    assert old in whole
    (infra / file).write_text(whole.replace(old, new))
    template = compile_bicep(infra)

    def keep() -> None:
        for case in CASES:
            promise(resolve(template, case.parameters, case.cloud), case)

    with pytest.raises((AssertionError, AbsentResource, SettingsError)):
        keep()
