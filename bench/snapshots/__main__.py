"""Measure the snapshot job beside a plain loop and dlt: `script/bench snapshots [--json FILE] [--groups N]`."""

import argparse
import json
import sys

from rich.console import Console

from bench import peers
from bench.arguments import bench_parser
from bench.snapshots import measures
from bench.snapshots.report import Report
from bench.snapshots.stage import start_stage

SHORT_LIST = 10_000


def main() -> int:
    """Measure everything, print it, and return 1 where a target is missed."""
    arguments = _parse()
    console = Console()
    peers.set_up()

    def say(what: str) -> None:
        console.log(f"measuring the {what}")

    with start_stage() as stage:
        rates, cpu = measures.speeds(stage, say)
        ratios = measures.calls_ratios(stage, arguments.groups, say)
        short_ratios = measures.calls_ratios(stage, 200_000, say)
        restored = measures.restoring(stage, arguments.restored, say)
        short = measures.memory(stage, SHORT_LIST, say)
    shares, long = measures.budget_shares(arguments.groups, say)
    peaks = {str(SHORT_LIST): short, str(arguments.groups): long}
    report = Report(
        groups=arguments.groups,
        rates=rates,
        cpu=cpu,
        ratios=ratios,
        short_ratios=short_ratios,
        restored=restored,
        peaks=peaks,
        shares=shares,
    )
    figures = json.dumps(report.figures(), indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    peers.draw("snapshots", figures, arguments.picture)
    for table in report.tables():
        console.print(table)
    return 1 if report.missed() else 0


def _parse() -> argparse.Namespace:
    parser = bench_parser("snapshots", __doc__, draws=True)
    parser.add_argument(
        "--groups", type=int, default=1_000_000, metavar="N", help="length of the long list (1,000,000)"
    )
    parser.add_argument(
        "--restored",
        type=int,
        default=25_000,
        metavar="N",
        help="groups to restore, of 40 persons each (25,000)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
