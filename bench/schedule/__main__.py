"""Measure what the schedule costs beside others: `script/bench schedule [--json FILE] [--trials N]`."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from bench import peers
from bench.schedule import measures
from bench.schedule.cases import MEDIAN_SECONDS, all_cases
from bench.schedule.report import Report

WIDTH = 150
"""Columns of the tables."""

PICTURE = Path(__file__).parents[2] / "docs" / "schedule.svg"


def main() -> int:
    """Measure everything, print it, and return 1 where a goal is missed."""
    arguments = _parse(sys.argv[1:])
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


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench schedule", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    parser.add_argument("--trials", type=int, default=2_000, metavar="N", help="trainings a case (2,000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw other lots")
    parser.add_argument(
        "--picture", type=Path, default=PICTURE, metavar="FILE", help="where the picture is drawn (SVG)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
