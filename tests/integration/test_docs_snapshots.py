"""Each snippet of the docs that reads snapshots, run on real ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.snapshots.stored.gzip_members import pack
from tests.support.directory_model import line
from tests.support.snapshots import take_snapshot

PAGE = Path(__file__).parents[2] / "docs" / "snapshots.md"
SNIPPETS = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("library", SNIPPETS)
def test_a_snippet_reads_all_snapshots_and_nothing_else(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, tmp_path: Path, library: str
) -> None:
    take_snapshot(client, container)
    face_emulator.control.fill(1_200, user_data=3)
    take_snapshot(client, container)
    face_emulator.control.change(added=5, removed=2, changed=3, seed=1)
    take_snapshot(client, container)
    for blob in container.list_blob_names():
        file = tmp_path / "snapshots" / blob
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(container.download_blob(blob).readall())
    code = SNIPPETS[library] + "\nprint(len(groups))\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == str(1_200 + 1_203), done.stderr


def test_pandas_reads_a_value_that_is_missing_as_missing(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots/dynamic-person-groups/groups/dt=2026-11-20"
    folder.mkdir(parents=True)
    member = pack([line("a", userData="some"), line("b")])
    (folder / "20261120T030000Z.ndjson.gz").write_bytes(member)
    code = SNIPPETS["pandas"] + "\nprint(groups['userData'].isna().tolist())\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == "[False, True]", done.stderr


def test_every_reader_that_the_docs_name_is_shown() -> None:
    assert list(SNIPPETS) == ["duckdb", "pandas", "polars", "pyarrow"]
