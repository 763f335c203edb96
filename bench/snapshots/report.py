"""Say how the measured figures stand to their targets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.table import Table

MIN_BUDGET_SHARE, MIN_FIRST_NIGHT_SHARE = 0.95, 0.8
MIN_TIMES_DLT = 5.0
MIN_TIMES_PLAIN_LOOP = 3.0
MAX_MEMORY_RATIO = 1.2
MAX_CALLS_RATIO, MAX_RESTORE_CALLS_RATIO = 1.05, 1.05

type Figures = Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """All figures of one run; each mapping as its measurement returns it."""

    groups: int
    rates: Figures
    cpu: Figures
    ratios: Mapping[str, Figures]  # of the long list
    short_ratios: Mapping[str, Figures]  # of 200 pages
    restored: Figures
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
            "groups_per_second": self.rates,
            "times_dlt": self.rates["ours"] / self.rates["dlt"],
            "times_plain_loop": self.rates["ours"] / self.rates["plain_loop"],
            "cpus_used": self.cpu,
            "peak_bytes": self.peaks,
            "memory_ratio": self.memory_ratio,
            "calls_ratio": self.ratios["first night"],
            "calls_ratio_next_night": self.ratios["next night"],
            "calls_ratio_200_pages": self.short_ratios["first night"],
            "calls_ratio_200_pages_next_night": self.short_ratios["next night"],
            "restore": self.restored,
            "missed": self.missed(),
        }

    def missed(self) -> list[str]:
        """Return the targets that are missed, one line each."""
        checks = {
            "budget_share": min(self.shares["next night"].values()) >= MIN_BUDGET_SHARE,
            "budget_share_first_night": min(self.shares["first night"].values()) >= MIN_FIRST_NIGHT_SHARE,
            "groups_per_second, times dlt": self.rates["ours"] >= MIN_TIMES_DLT * self.rates["dlt"],
            "groups_per_second, times the loop": self.rates["ours"] >= MIN_TIMES_PLAIN_LOOP * self.rates["plain_loop"],
            "memory_ratio": self.memory_ratio <= MAX_MEMORY_RATIO,
            "calls_ratio": _highest(self.ratios) <= MAX_CALLS_RATIO,
            "calls_ratio_200_pages": _highest(self.short_ratios) <= MAX_CALLS_RATIO,
            "restore": self.restored["calls"] <= MAX_RESTORE_CALLS_RATIO * self.restored["must"],
        }
        return [name for name, met in checks.items() if not met]

    def tables(self) -> Iterator[Table]:
        """Yield the tables to print."""
        for pages in dict.fromkeys(name.partition(",")[0] for name in self.shares["next night"]):
            shares = {night: _of(pages, figures) for night, figures in self.shares.items()}
            yield _table("budget_share, as a share of what is possible", "pages and seconds a page", shares)
        yield _table("calls_ratio, 200 pages", "shape of the IDs", self.short_ratios)
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
        restored = f"restore: {self.restored['calls']:,.0f} calls, {self.restored['must']:,.0f} of them needed"
        yield Table(title=restored, title_justify="left")
        yield Table(title=f"targets missed: {', '.join(self.missed()) or 'none'}", title_justify="left")


def _of(pages: str, figures: Figures) -> Figures:
    return {name: value for name, value in figures.items() if name.startswith(f"{pages},")}


def _highest(nights: Mapping[str, Figures]) -> float:
    return max(ratio for night in nights.values() for ratio in night.values())


def _table(title: str, label: str, rows: Mapping[str, Figures]) -> Table:
    columns = next(iter(rows.values()))
    table = Table(label, *columns, title=title, title_justify="left")
    for name, figures in rows.items():
        table.add_row(name, *(f"{figures[column]:.3f}" for column in columns))
    return table
