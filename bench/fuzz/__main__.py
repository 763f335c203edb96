"""Fuzz what reads outside input: `script/bench fuzz [--seconds N] [--target NAME] [--keep]`."""

import argparse
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.fuzz.corpus import keep, pack, read_kept, unpack
from bench.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".bench/fuzz"
MAX_INPUT_BYTES = 2_048
MAX_KEPT_BYTES = 512


def main() -> int:
    """Fuzz each target, print how many inputs it had, and return 1 where one of them was read wrongly."""
    arguments = _parse(sys.argv[1:])
    _install_atheris()
    names = arguments.target or list(TARGETS)
    console, table = Console(), Table("target", "inputs", "kept")
    total, failed = 0, False
    for name in names:
        inputs, crash = _fuzz(name, arguments.seconds / len(names))
        total += inputs
        if crash is not None:
            failed = True
            console.print(f"{name}: read wrongly, and kept: {crash!r}", markup=False)
            keep(name, [*read_kept(name), crash])
        elif arguments.keep:
            reached = pack(WORK / name / "corpus")
            keep(name, [data for data in reached if len(data) <= MAX_KEPT_BYTES])
        table.add_row(name, f"{inputs:,}", str(len(read_kept(name))))
    table.add_row("all", f"{total:,}", "")
    console.print(table)
    return int(failed)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="how long, all targets together (60)")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="fuzz this one only; may be repeated")
    parser.add_argument(
        "--keep", action="store_true", help="keep the short ones of the inputs that reached something new"
    )
    return parser.parse_args(arguments)


def _install_atheris() -> None:
    """Install the locked fuzzer; its 140 MB are not worth it for everybody."""
    if find_spec("atheris") is not None:
        return
    uv = shutil.which("uv") or shutil.which(ROOT / ".bootstrap/uv/bin/uv")
    if uv is None:
        raise RuntimeError("found no uv; expected it on PATH or in .bootstrap/uv: run script/bootstrap")
    subprocess.run(
        [uv, "sync", "--locked", "--quiet", "--inexact", "--group", "fuzz", "--python", sys.executable],
        cwd=ROOT,
        check=True,
    )


def _fuzz(name: str, seconds: float) -> tuple[int, bytes | None]:
    """Return how many inputs a target had, and the one that it read wrongly, where there was one."""
    corpus, artifacts = WORK / name / "corpus", WORK / name / "found"
    unpack(read_kept(name), corpus)
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir()
    limits = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={MAX_INPUT_BYTES}", "-timeout=10"]
    output = _run(name, *limits, f"-artifact_prefix={artifacts}/", "-print_final_stats=1", str(corpus))
    count = re.search(r"number_of_executed_units: +(\d+)", output)
    found = pack(artifacts)
    if count is None and not found:
        raise RuntimeError(f"the fuzzer of {name} ended early:\n{output[-2_000:]}")
    if found:
        sys.stderr.write(output[-2_000:])
    return int(count[1]) if count else 0, found[0] if found else None


def _run(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "bench.fuzz.one", name, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
