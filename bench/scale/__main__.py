"""Count what a long history costs: `script/bench scale [--ended N] [--live N] [--json FILE]`."""

import argparse
import json
import sys
from functools import reduce

import msgspec
from rich.console import Console
from rich.table import Table

from bench.arguments import bench_parser
from bench.scale.run import RETENTION_DAYS, Cost, Stage

MAX_CALLS = {"a poll that goes on": 4, "a poll that ends": 7}

type Costs = dict[str, Cost]


def main() -> int:
    """Count on a table without and with a history, print both, and return 1 where a goal is missed."""
    arguments = _parse()
    console = Console()
    counted: dict[str, Costs] = {}
    for name, ended in (("no history", 0), (f"{arguments.ended:,} ended", arguments.ended)):
        console.log(f"{name}, {arguments.live:,} live groups, in memory")
        stage = Stage(ended=ended, live=arguments.live)
        counted[name] = _steps(stage)
        if ended:
            counted[name] |= _retention(stage, console)
    bare, long = counted.values()
    missed = [
        *(f"calls of {step}" for step, most in MAX_CALLS.items() if long[step].calls > most),
        *(f"history read by {step}" for step, cost in long.items() if step in bare and cost.history_rows),
        *(f"growth of {step}" for step, cost in bare.items() if long[step].calls > cost.calls),
        *(["rows of a quiet minute"] if long["a quiet minute"].live_rows > arguments.live else []),
    ]
    figures = json.dumps(msgspec.to_builtins({**counted, "missed": missed}), indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    for name, costs in counted.items():
        console.print(_table(name, costs))
    console.print(f"goals missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _steps(stage: Stage) -> Costs:
    """Return the cost of each kind of step."""
    costs = {"a quiet minute": stage.minute()}
    stage.service.begin("live-0000001", seconds=600)
    costs["a poll that goes on"] = stage.follow_up("live-0000001")
    stage.service.begin("live-0000002", seconds=0)
    costs["a poll that ends"] = stage.follow_up("live-0000002")
    # With a past of one request, or of many: the first request of a group costs a call less.
    stage.service.begin("old-0000000", seconds=0)
    stage.request("old-0000000")
    costs["a request that ends"] = stage.request("old-0000000")
    stage.service.begin("old-0000000", seconds=600)
    costs["a request that goes on"] = stage.request("old-0000000")
    costs["a request that joins"] = stage.request("old-0000000")
    return costs


def _retention(stage: Stage, console: Console) -> Costs:
    """Return the cost of removing what becomes too old in a day."""
    stage.days_pass(2)
    costs = []
    while (cost := stage.minute()).history_rows:
        costs.append(cost)
    console.log(f"one day of {RETENTION_DAYS} removed in {len(costs)} runs of the timer")
    return {"a day's retention": reduce(_sum, costs)}


def _sum(one: Cost, other: Cost) -> Cost:
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Cost(*(left + right for left, right in pairs))


def _table(title: str, costs: Costs) -> Table:
    table = Table("", "storage calls", "events", "live rows read", "history rows read", title=title)
    for step, cost in costs.items():
        table.add_row(step, f"{cost.calls:,}", f"{cost.events:,}", f"{cost.live_rows:,}", f"{cost.history_rows:,}")
    return table


def _parse() -> argparse.Namespace:
    parser = bench_parser("scale", __doc__)
    parser.add_argument("--ended", type=int, default=1_000_000, metavar="N", help="ended requests on record")
    parser.add_argument("--live", type=int, default=100_000, metavar="N", help="groups that are watched")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
