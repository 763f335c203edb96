"""Measure the budget that instances share: `script/bench budget [--json FILE] [--picture FILE]`."""

import argparse
import json
import sys

import msgspec
from rich.console import Console

from bench import peers
from bench.arguments import bench_parser
from bench.budget import cases, processes
from bench.budget.report import Report
from bench.budget.stage import LIMIT, Stage
from bench.budget.watches import Result, Watches

PROCESSES = (1, 4, 10)
INSTANCES = 40
FOREIGN_CALLS_A_SECOND = 3.0
SIMULATED_SECONDS = 7_200.0
TOLD_SECONDS = {5.0: (3.0, 6.0, 26.0, 50.0), 10.0: (1.0, 6.0, 26.0, 50.0)}
"""What the service asks for, by FACE_MAX_TPS."""


def main() -> int:
    """Measure everything, print it, and return 1 where a goal is missed."""
    arguments = _parse()
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
    peers.set_up()
    peers.draw("budget", figures, arguments.picture)
    for table in report.tables():
        console.print(table)
    console.print(f"goals missed: {', '.join(report.missed()) or 'none'}")
    return 1 if report.missed() else 0


def _watch(arguments: argparse.Namespace, *, priced: bool, foreign: float = 0.0) -> Result:
    stage = Stage(instances=INSTANCES, max_tps=LIMIT, seed=arguments.seed)
    if foreign:
        stage.foreign_client(foreign)
    return Watches(stage, arguments.watches, priced=priced).run(SIMULATED_SECONDS)


def _parse() -> argparse.Namespace:
    parser = bench_parser("budget", __doc__, draws=True, seeded=True)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long real processes make calls (30)")
    parser.add_argument("--watches", type=int, default=10_000, metavar="N", help="how many groups are watched (10,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
