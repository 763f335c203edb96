"""Break the stack while it watches many trainings: `script/bench chaos [--groups N] [--json FILE]`."""

import argparse
import json
import sys

import msgspec
from rich.console import Console

from bench.arguments import bench_parser
from bench.chaos.run import Result, run


def main() -> int:
    """Run the chaos, print its verdict, and return 1 where the promise was broken."""
    arguments = _parse()
    console = Console()
    result = run(arguments.groups, console.log, seed=arguments.seed)
    figures = json.dumps(figures_of(result), indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    console.print_json(figures)
    return 0 if result.verdict.holds else 1


def figures_of(result: Result) -> dict[str, object]:
    """Return the figures of a run, as they are printed and written."""
    return {
        **msgspec.to_builtins(result.verdict),
        "kills": result.kills,
        "purged": result.purged,
        "seconds": result.seconds,
    }


def _parse() -> argparse.Namespace:
    parser = bench_parser("chaos", __doc__, seeded=True)
    parser.add_argument("--groups", type=int, default=1_000, metavar="N", help="how many groups are watched (1,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
