"""Measure the budget that instances share: `script/bench budget [--json FILE] [--picture FILE]`."""

import argparse
import json
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from bench import peers
from bench.budget import cases, processes
from bench.budget.report import Report
from bench.budget.stage import LIMIT, Stage
from bench.budget.watches import Result, Watches

PICTURE = Path(__file__).parents[2] / "docs" / "budget.svg"
PROCESSES = (1, 4, 10)
INSTANCES = 40
FOREIGN_CALLS_A_SECOND = 3.0
SIMULATED_SECONDS = 7_200.0
TOLD_SECONDS = {5.0: (3.0, 6.0, 26.0, 50.0), 10.0: (1.0, 6.0, 26.0, 50.0)}
"""What the service asks for, by FACE_MAX_TPS."""


def main() -> int:
    """Measure everything, print it, and return 1 where a goal is missed."""
    arguments = _parse(sys.argv[1:])
    console = Console()
    of_processes = {}
    for number in PROCESSES:
        console.log(f"measuring for {arguments.seconds:g} s, processes: {number}")
        of_processes[str(number)] = processes.run(number, arguments.seconds)
    console.log(f"simulating {INSTANCES} instances that watch {arguments.watches:,} groups for two hours, three times")
    report = Report(
        processes=of_processes,
        watches=_watch(arguments, priced=True),
        watches_without_price=_watch(arguments, priced=False),
        watches_beside_foreign_client=_watch(arguments, priced=True, foreign=FOREIGN_CALLS_A_SECOND),
        told_to_wait={
            f"{max_tps:g}": [cases.told_to_wait(asked, max_tps=max_tps, seed=arguments.seed) for asked in all_asked]
            for max_tps, all_asked in TOLD_SECONDS.items()
        },
        beside_a_snapshot=cases.beside_a_snapshot(600.0, seed=arguments.seed),
    )
    figures = json.dumps({**msgspec.to_builtins(report), "missed": report.missed()}, indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    _draw(figures, arguments.picture)
    for table in report.tables():
        console.print(table)
    console.print(f"goals missed: {', '.join(report.missed()) or 'none'}")
    return 1 if report.missed() else 0


def _watch(arguments: argparse.Namespace, *, priced: bool, foreign: float = 0.0) -> Result:
    stage = Stage(instances=INSTANCES, max_tps=LIMIT, seed=arguments.seed)
    if foreign:
        stage.foreign_client(foreign)
    return Watches(stage, arguments.watches, priced=priced).run(SIMULATED_SECONDS)


def _draw(figures: str, picture: Path) -> None:
    peers.set_up()
    figures_file = peers.scratch("figures") / "budget.json"
    figures_file.write_text(figures)
    peers.run_script("draw_budget.py", str(figures_file), str(picture))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench budget", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    parser.add_argument(
        "--picture", type=Path, default=PICTURE, metavar="FILE", help="where the picture is drawn (SVG)"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long real processes make calls (30)")
    parser.add_argument("--watches", type=int, default=10_000, metavar="N", help="how many groups are watched (10,000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw other lots")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
