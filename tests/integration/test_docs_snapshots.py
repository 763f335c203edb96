"""Each snippet of the docs that reads snapshots, run on real ones."""

import os
import re
import shutil
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
from tests.support.uv import run_uv

PAGE = Path(__file__).parents[2] / "docs" / "snapshots.md"
SNIPPETS: dict[str, str] = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))


COUNT = 1_200 + 1_203
# Spark as it is, but bound to loopback.
SPARK = {
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_SUBMIT_ARGS": "--master local[1] --conf spark.ui.enabled=false pyspark-shell",
}


@pytest.fixture
def folder(face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, tmp_path: Path) -> Path:
    """Return a folder with three snapshots, one of them of no groups, below ``snapshots``."""
    take_snapshot(client, container)
    face_emulator.control.fill(1_200, user_data=3)
    take_snapshot(client, container)
    face_emulator.control.change(added=5, removed=2, changed=3, seed=1)
    take_snapshot(client, container)
    for blob in container.list_blob_names():
        file = tmp_path / "snapshots" / blob
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(container.download_blob(blob).readall())
    return tmp_path


@pytest.mark.parametrize("library", ["duckdb", "pandas", "polars", "pyarrow"])
def test_a_snippet_reads_all_snapshots_and_nothing_else(folder: Path, library: str) -> None:
    command = [sys.executable, "-c", counting(library)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == str(COUNT), done.stderr


@pytest.mark.timeout(300)
def test_the_snippet_of_pandas_runs_on_pandas_2(folder: Path) -> None:
    assert run_apart(folder, "pandas<3", "pandas") == str(COUNT)


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_the_snippet_of_spark_runs_where_java_is(folder: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("no java on PATH, which Spark needs (Debian: apt-get install default-jre-headless)")
    assert run_apart(folder, "pyspark", "spark", **SPARK) == str(COUNT)


def counting(library: str) -> str:
    """Return a library's snippet, which then prints how many groups it has read."""
    return SNIPPETS[library] + "\nprint(len(groups))\n"


def run_apart(folder: Path, requirement: str, library: str, **variables: str) -> str:
    """Return what a snippet prints in an environment of its own; skip the test where that cannot be made."""
    python = ("run", "--isolated", "--no-project", "--python", sys.executable, "--with", requirement, "python", "-c")
    made = run_uv(*python, "", folder=folder)
    if made.returncode:
        pytest.skip(f"{requirement} does not install here: {made.stderr.strip()[-200:]}")
    done = run_uv(*python, counting(library), folder=folder, environment={**os.environ, **variables})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_pandas_reads_a_value_that_is_missing_as_missing(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots/dynamic-person-groups/groups/dt=2026-11-20"
    folder.mkdir(parents=True)
    member = pack([line("a", userData="some"), line("b")])
    (folder / "20261120T030000Z.ndjson.gz").write_bytes(member)
    code = SNIPPETS["pandas"] + "\nprint(groups['userData'].isna().tolist())\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == "[False, True]", done.stderr


def test_every_reader_that_the_docs_name_is_shown() -> None:
    assert list(SNIPPETS) == ["duckdb", "pandas", "polars", "pyarrow", "spark"]
