"""Simulate more trainings than calls can follow closely: `script/bench overload [--json FILE]`."""

import json
import sys
from collections.abc import Mapping
from statistics import fmean

import msgspec
from rich.console import Console
from rich.table import Table

from bench import peers
from bench.arguments import bench_parser
from bench.overload.simulation import CALLS_A_SECOND, Figures, Rule, simulate

ARRIVALS = (2.0, 5.0, 10.0)
GOAL_ARRIVALS = 5.0
MAX_MEAN_RATIO, MAX_MEDIAN_RATIO = 0.85, 0.55
SEEDS = 3

type Result = Mapping[str, Mapping[str, Figures]]


def main() -> int:
    """Simulate everything, print it, and return 1 where a goal is missed."""
    arguments = bench_parser("overload", __doc__, draws=True).parse_args()
    console = Console()
    peers.set_up()
    result: dict[str, dict[str, Figures]] = {}
    for per_second in ARRIVALS:
        console.log(f"{per_second:g} trainings a second")
        result[f"{per_second:g}"] = {rule.value: _mean_of_runs(rule, per_second) for rule in Rule}
    missed = _missed(result)
    figures = json.dumps({"figures": msgspec.to_builtins(result), **_ratios(result), "missed": missed}, indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    peers.draw("overload", figures, arguments.picture)
    for arrivals, rows in result.items():
        console.print(_table(arrivals, rows))
    console.print(f"ratios: {_ratios(result)}; goals missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _mean_of_runs(rule: Rule, per_second: float) -> Figures:
    runs = [msgspec.structs.asdict(simulate(rule, per_second, seed)) for seed in range(SEEDS)]
    return Figures(**{name: fmean(run[name] for run in runs) for name in runs[0]})


def _ratios(result: Result) -> dict[str, float]:
    rows = result[f"{GOAL_ARRIVALS:g}"]
    ours, first = rows[Rule.PRICE.value], rows[Rule.HALF_OF_AGE.value]
    return {
        "mean_ratio": ours.mean_late / first.mean_late,
        "median_ratio": ours.median_late / first.median_late,
    }


def _missed(result: Result) -> list[str]:
    goals = {"mean_ratio": MAX_MEAN_RATIO, "median_ratio": MAX_MEDIAN_RATIO}
    return [name for name, ratio in _ratios(result).items() if ratio > goals[name]]


def _table(arrivals: str, rows: Mapping[str, Figures]) -> Table:
    title = f"{arrivals} trainings a second, {CALLS_A_SECOND:g} calls a second: seconds late"
    table = Table("", "mean", "median", "p95", "polls", "price", title=title, title_justify="left")
    for name, at in rows.items():
        late = (f"{seconds:.0f}" for seconds in (at.mean_late, at.median_late, at.p95_late))
        table.add_row(name, *late, f"{at.polls:.2f}", f"{at.price:.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
