"""Counts of requests and of faults."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec


class Statistics(msgspec.Struct, rename="camel"):
    """The counts since the last reset."""

    requests: dict[str, dict[str, int]]  # by operation and by status, ``none`` where there was no response
    train_calls: dict[str, dict[str, int]]  # by ``kind/groupId`` and by status
    faults: dict[str, int]  # by fault
    dynamic_groups: int  # how many exist now


@dataclass
class Tally:
    """The running counts of requests and faults."""

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
