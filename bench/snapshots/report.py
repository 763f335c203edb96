"""Say how the measured figures stand to their targets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.table import Table

LEAST_BUDGET_SHARE = 0.95
LEAST_TIMES_DLT = 5.0
LEAST_TIMES_PLAIN_LOOP = 3.0
MOST_MEMORY_RATIO = 1.2
MOST_CALLS_RATIO = 1.05

type Figures = Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """All figures of one run; each mapping as its measurement returns it."""

    groups: int
    rates: Figures
    cpu: Figures
    ratios: Mapping[str, Figures]
    peaks: Mapping[str, int]
    shares: Mapping[str, Figures]

    @property
    def memory_ratio(self) -> float:
        """Peak memory of the long list ÷ that of the short one."""
        short, long = self.peaks.values()
        return long / short

    def figures(self) -> dict[str, object]:
        """Return the figures by the names that the documents use."""
        return {
            "groups": self.groups,
            "budget_share": self.shares["next night"],
            "budget_share_first_night": self.shares["first night"],
            "budget_share_plain_loop": self.shares["plain loop"],
            "groups_per_second": self.rates,
            "times_dlt": self.rates["ours"] / self.rates["dlt"],
            "times_plain_loop": self.rates["ours"] / self.rates["plain_loop"],
            "cpus_used": self.cpu,
            "peak_bytes": self.peaks,
            "memory_ratio": self.memory_ratio,
            "calls_ratio": self.ratios["first night"],
            "calls_ratio_next_night": self.ratios["next night"],
            "missed": self.missed(),
        }

    def missed(self) -> list[str]:
        """Return the targets that are missed, one line each."""
        checks = {
            "budget_share": min(self.shares["next night"].values()) >= LEAST_BUDGET_SHARE,
            "groups_per_second, times dlt": self.rates["ours"] >= LEAST_TIMES_DLT * self.rates["dlt"],
            "groups_per_second, times the loop": self.rates["ours"]
            >= LEAST_TIMES_PLAIN_LOOP * self.rates["plain_loop"],
            "memory_ratio": self.memory_ratio <= MOST_MEMORY_RATIO,
            "calls_ratio": max(ratio for night in self.ratios.values() for ratio in night.values()) <= MOST_CALLS_RATIO,
        }
        return [name for name, met in checks.items() if not met]

    def tables(self) -> Iterator[Table]:
        """Yield the tables to print."""
        yield _table(f"budget_share of 10 requests a second, {self.groups:,} groups", "seconds a page", self.shares)
        yield _table(f"calls_ratio, {self.groups:,} groups", "shape of the IDs", self.ratios)
        speed = Table("", "groups a second", title="groups_per_second, 100 ms a page, no limit", title_justify="left")
        for name, rate in self.rates.items():
            speed.add_row(name, f"{rate:,.0f}")
        for name, cpus in self.cpu.items():
            speed.add_row(f"CPUs used by {name} while ours ran", f"{cpus:.2f}")
        yield speed
        memory = Table("groups", "peak MiB", title=f"memory_ratio {self.memory_ratio:.2f}", title_justify="left")
        for count, peak in self.peaks.items():
            memory.add_row(f"{int(count):,}", f"{peak / 2**20:.0f}")
        yield memory
        yield Table(title=f"targets missed: {', '.join(self.missed()) or 'none'}", title_justify="left")


def _table(title: str, label: str, rows: Mapping[str, Figures]) -> Table:
    columns = next(iter(rows.values()))
    table = Table(label, *columns, title=title, title_justify="left")
    for name, figures in rows.items():
        table.add_row(name, *(f"{figures[column]:.3f}" for column in columns))
    return table
