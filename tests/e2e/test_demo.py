"""``script/demo`` shows both jobs, and finds every outcome as expected."""

from pathlib import Path

import pytest

from local import processes
from local.functions_host import HostKind

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_every_outcome_is_as_expected(host_kind: HostKind) -> None:
    command: list[str | Path] = [ROOT / "script/demo", "--host", host_kind.value]
    with processes.start(command, name="script/demo") as child:
        # Two minutes are its promise; func may have to fetch its extension bundle before.
        assert child.process.wait(150) == 0, child.failure("it was to find all as expected")
