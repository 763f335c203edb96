"""Say how the figures stand to their goals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from rich.table import Table

from bench.schedule.cases import FIVE_PAST, NOTHING_KNOWN
from bench.schedule.measures import EXACT, PRICES, Figures
from bench.schedule.pollers import OURS, POLLERS

MAX_OVER_EXACT = 1.03
MAX_POLLS_NOTHING_KNOWN, MAX_LATE_NOTHING_KNOWN = 10.9, 9.8
MAX_POLLS_FIVE_PAST, MAX_LATE_FIVE_PAST = 5.0, 4.0
MAX_LATE_SHORTEST = 3.0


class Report(msgspec.Struct, frozen=True):
    """All figures of one run; each mapping as its measurement returns it."""

    cases: Mapping[str, Mapping[str, Figures]]
    frontier: Mapping[str, Mapping[str, Sequence[Figures]]]
    under_load: Mapping[str, Figures]
    over_exact: Mapping[str, float]
    shortest_late: float
    poll_ages: Mapping[str, Sequence[float]]

    def figures(self) -> dict[str, Any]:
        """Return the figures by the names that the documents use."""
        figures: dict[str, Any] = msgspec.to_builtins(self)
        return {
            **figures,
            "prices": PRICES,
            "cost_over_exact": max(self.over_exact.values()),
            "missed": self.missed(),
        }

    def missed(self) -> list[str]:
        """Return the goals that are missed, one line each."""
        unknown, five = self.cases[NOTHING_KNOWN][OURS], self.cases[FIVE_PAST][OURS]
        checks = {
            "cost_over_exact": max(self.over_exact.values()) <= MAX_OVER_EXACT,
            f"polls, {NOTHING_KNOWN}": unknown.polls <= MAX_POLLS_NOTHING_KNOWN,
            f"mean_late, {NOTHING_KNOWN}": unknown.mean_late <= MAX_LATE_NOTHING_KNOWN,
            f"polls, {FIVE_PAST}": five.polls <= MAX_POLLS_FIVE_PAST,
            f"mean_late, {FIVE_PAST}": five.mean_late <= MAX_LATE_FIVE_PAST,
            "shortest_late": self.shortest_late < MAX_LATE_SHORTEST,
        }
        return [name for name, met in checks.items() if not met]

    def lines(self) -> Iterator[Table | str]:
        """Yield what is to be printed."""
        names = [*POLLERS, EXACT]
        table = Table("", *names, title="polls a training, mean and p95 seconds late", title_justify="left")
        for case, figures in self.cases.items():
            table.add_row(case, *(_cell(figures.get(name)) for name in names))
        yield table
        worth = Table(
            "", *(f"{price:g}" for price in PRICES), title="by WATCH_POLL_WORTH_SECONDS", title_justify="left"
        )
        for case, lines in self.frontier.items():
            for name, line in lines.items():
                worth.add_row(f"{case}: {name}", *(_cell(each) for each in line))
        yield worth
        load = Table("", *self.under_load, title=f"{NOTHING_KNOWN}, by the price under load", title_justify="left")
        load.add_row("polls, mean and p95 seconds late", *(_cell(each) for each in self.under_load.values()))
        yield load
        worst = max(self.over_exact, key=lambda name: self.over_exact[name])
        yield f"cost_over_exact {self.over_exact[worst]:.4f} ({worst})"
        yield f"shortest_late {self.shortest_late:.1f} s"
        yield f"goals missed: {', '.join(self.missed()) or 'none'}"


def _cell(figures: Figures | None) -> str:
    return f"{figures.polls:.1f}  {figures.mean_late:.1f}  {figures.p95_late:.0f}" if figures else ""
