"""Measure what the schedule costs beside others: `script/bench schedule [--json FILE] [--trials N]`."""

import argparse
import json
import sys

from rich.console import Console

from bench import peers
from bench.arguments import bench_parser
from bench.schedule import measures
from bench.schedule.cases import MEDIAN_SECONDS, all_cases
from bench.schedule.report import Report

WIDTH = 150
"""Columns of the tables."""


def main() -> int:
    """Measure everything, print it, and return 1 where a goal is missed."""
    arguments = _parse()
    console = Console(width=WIDTH)
    peers.set_up()
    cases = list(all_cases(arguments.trials, arguments.seed))
    compared = {}
    for case in cases:
        console.log(case.name)
        compared[case.name] = measures.compare(case, arguments.seed)
    console.log("what a poll is worth")
    frontier = measures.frontier(cases, arguments.seed)
    console.log("known distributions, beside the exact program")
    report = Report(
        cases=compared,
        frontier=frontier,
        under_load=measures.under_load(cases[0], arguments.seed),
        over_exact=measures.costs_over_exact(),
        shortest_late=measures.shortest_late(),
        poll_ages=measures.poll_ages(until=3 * MEDIAN_SECONDS),
    )
    figures = json.dumps(report.figures(), indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    peers.draw("schedule", figures, arguments.picture)
    for line in report.lines():
        console.print(line)
    return 1 if report.missed() else 0


def _parse() -> argparse.Namespace:
    parser = bench_parser("schedule", __doc__, draws=True, seeded=True)
    parser.add_argument("--trials", type=int, default=2_000, metavar="N", help="trainings a case (2,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
