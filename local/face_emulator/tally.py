"""Counts what was asked of the service, and which faults it met."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec


class Statistics(msgspec.Struct, rename="camel"):
    """What was asked since the last reset.

    `requests`: operation -> status (`none` where there was no answer) -> count; `train_calls`: `kind/groupId` -> the
    same of its train calls; `faults`: fault -> count; `dynamic_groups`: how many there are now.
    """

    requests: dict[str, dict[str, int]]
    train_calls: dict[str, dict[str, int]]
    faults: dict[str, int]
    dynamic_groups: int


@dataclass
class Tally:
    """Counts requests and faults."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    train_calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def summarize(self, dynamic_groups: int) -> Statistics:
        """Return the counts as a table."""
        return Statistics(_by_status(self.requests), _by_status(self.train_calls), dict(self.faults), dynamic_groups)


def _by_status(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (name, status), count in sorted(counts.items()):
        table.setdefault(name, {})[status] = count
    return table
