"""`script/demo` shows both jobs, and finds every outcome as expected."""

import os
from pathlib import Path

import pytest

from local import processes
from local.functions_host import HostKind
from tests.e2e.processes_of import descendants

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_every_outcome_is_as_expected(host_kind: HostKind) -> None:
    before = descendants(os.getpid())
    command: list[str | Path] = [ROOT / "script/demo", "--host", host_kind.value]
    with processes.start(command, name="script/demo") as child:
        assert child.process.wait(150) == 0, child.failure("it was to find all as expected")
        assert descendants(os.getpid()) <= before
