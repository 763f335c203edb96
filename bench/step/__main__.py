"""Measure CPU and storage calls a poll, a request and an end: `script/bench step [--groups N] [--json FILE]`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import peers
from bench.arguments import bench_parser
from local.azurite import start_azurite
from local.face_emulator.process import start_face_emulator

ROOT = Path(__file__).parents[2]
FIRST_VERSION = "cc4821e"
"""The commit whose watch is the peer."""

ROUNDS = 7
MAX_CPU_RATIO = 1.5
MAX_CALLS = {"poll": 4.0, "end": 7.0}
"""Storage calls of the app, without its reservations of slots; those of an end without the event it sends."""

type Figures = dict[str, dict[str, float]]


def main() -> int:
    """Measure both versions in turn, print the best round of each, and return 1 where a goal is missed."""
    arguments = _parse()
    console = Console()
    trees = {"first": _first_version(), "present": ROOT}
    rounds: dict[str, list[Figures]] = {name: [] for name in trees}
    for number in range(ROUNDS):
        for name, tree in trees.items():
            console.log(f"round {number + 1} of {ROUNDS}: the {name} version")
            rounds[name].append(_measure(name, tree, arguments.groups))
    best = {name: _best(measured) for name, measured in rounds.items()}
    ratios = {kind: best["present"][kind]["cpu_ms"] / best["first"][kind]["cpu_ms"] for kind in ("request", "poll")}
    missed = [f"cpu of a {kind}" for kind, ratio in ratios.items() if ratio > MAX_CPU_RATIO]
    missed += [f"calls of a {kind}" for kind, most in MAX_CALLS.items() if best["present"][kind]["calls"] > most]
    figures = json.dumps({**best, "cpu_ratio": ratios, "missed": missed}, indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    console.print(_table(best, ratios))
    console.print(f"goals missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _measure(version: str, tree: Path, groups: int) -> Figures:
    """Run one version on parts of its own, in a process that imports that version's ``shared``."""
    with start_azurite() as azurite, start_face_emulator() as face:
        face.control.plan(duration=3600)
        for number in range(groups):
            face.control.group("largePersonGroup", _name(number), train=True)
        environment = {
            **os.environ,
            "PYTHONPATH": str(tree),
            "BENCH_STORAGE": azurite.connection_string,
            "BENCH_FACE_ENDPOINT": face.endpoint,
            "BENCH_FACE_KEY": face.key,
        }
        program = Path(__file__).parent / "measured.py"
        command = [sys.executable, "-P", str(program), version, str(groups)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, cwd=tree, stdin=pipe, stdout=pipe, text=True) as measured:
            assert measured.stdin is not None and measured.stdout is not None  # noqa: S101, PT018 - both are pipes
            measured.stdout.readline()  # the polls that go on are over
            face.control.plan(duration=0)
            for number in range(groups):
                face.control.group("largePersonGroup", _name(number), train=True)
            measured.stdin.write("trainings ended\n")
            measured.stdin.flush()
            output = measured.stdout.read()
    if measured.returncode:
        raise RuntimeError(f"the {version} version ended with {measured.returncode}")
    figures: Figures = json.loads(output)
    return figures


def _name(number: int) -> str:
    return f"step-{number:05}"


def _first_version() -> Path:
    """Return a folder with the first version, taken out of the history."""
    folder = peers.scratch("first-version")
    archive = subprocess.run(
        ["git", "archive", FIRST_VERSION, "shared"],  # noqa: S607 - git is wherever the user has it
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)  # noqa: S607 - likewise
    return folder


def _best(rounds: list[Figures]) -> Figures:
    """Return the round's figures with the least CPU, by kind: what else the machine does only adds to it."""
    return {kind: min((each[kind] for each in rounds), key=lambda each: each["cpu_ms"]) for kind in rounds[0]}


def _table(best: dict[str, Figures], ratios: dict[str, float]) -> Table:
    table = Table("", "version", "CPU ms", "storage calls", "of the budget", "CPU ratio")
    for kind in ("request", "poll", "end"):
        for name, figures in best.items():
            cost = figures[kind]
            ratio = f"{ratios[kind]:.2f}" if name == "present" and kind in ratios else ""
            table.add_row(
                kind, name, f"{cost['cpu_ms']:.2f}", f"{cost['calls']:.2f}", f"{cost['budget_calls']:.2f}", ratio
            )
    return table


def _parse() -> argparse.Namespace:
    parser = bench_parser("step", __doc__)
    parser.add_argument("--groups", type=int, default=200, metavar="N", help="how many groups are watched (200)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
