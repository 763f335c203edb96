"""What is deployed keeps its promises, and a fault breaks each of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.settings import SettingsError
from tests.integration.infra.cases import CASES, VARIANTS, Case, Outcome, work_out
from tests.integration.infra.faults import FAULTS, Fault
from tests.integration.infra.promises import PROMISES, Promise
from tests.integration.infra.tools import INFRA, ROOT
from tests.support.arm.compiler import Bicep
from tests.support.arm.deployment import PUBLIC, AbsentResource


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_template_keeps_its_promise(promise: Promise, case: Case, outcome: Callable[[Case], Outcome]) -> None:
    promise(outcome(case))


def test_each_promise_has_a_fault_that_breaks_it() -> None:
    assert set(FAULTS) == set(PROMISES)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("promise", "fault"),
    [
        pytest.param(promise, fault, id=f"{promise.__name__}-{number}")
        for promise, faults in FAULTS.items()
        for number, fault in enumerate(faults)
    ],
)
def test_a_fault_breaks_its_promise(promise: Promise, fault: Fault, tmp_path: Path, compiler: Bicep) -> None:
    infra = shutil.copytree(INFRA, tmp_path / "infra")
    variants = shutil.copytree(VARIANTS, tmp_path / VARIANTS.relative_to(ROOT))
    whole = (infra / fault.file).read_text()
    assert fault.old in whole
    (infra / fault.file).write_text(whole.replace(fault.old, fault.new))
    case = next(case for case in CASES if case.variant == fault.variant and (case.cloud is PUBLIC) == fault.public)
    with pytest.raises((AssertionError, AbsentResource, SettingsError)):
        promise(work_out(compiler, case, variants))
