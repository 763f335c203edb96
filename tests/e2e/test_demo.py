"""``script/demo`` shows both jobs, and finds every outcome as expected."""

import os
from pathlib import Path

import pytest

from local import processes
from local.functions_host import HostKind

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_every_outcome_is_as_expected_beside_another_stack(host_kind: HostKind, tmp_path: Path) -> None:
    command: list[str | Path] = [ROOT / "script/demo", "--host", host_kind.value]
    of_another_stack = tmp_path / "connection.json"
    of_another_stack.write_text("{}")
    environment = {**os.environ, "FACE_OPS_CONNECTION": str(of_another_stack)}
    with processes.start(command, name="script/demo", environment=environment) as child:
        # Two minutes are its promise; func may have to fetch its extension bundle before.
        assert child.process.wait(150) == 0, child.failure("it was to find all as expected")
