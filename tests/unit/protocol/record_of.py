"""Read the record of a world as the design names its rows, without the code that is explored."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.support.doubles.table import InMemoryTable

STATES = ("open", "owed", "told")
_COMPLEMENTS = str.maketrans("0123456789", "9876543210")


@dataclass
class Group:
    """What the table holds of one group."""

    watch: Any = None
    requests: dict[str, dict[str, Any]] = field(default_factory=lambda: {state: {} for state in STATES})


@dataclass
class Record:
    """What the table holds."""

    groups: dict[str, Group]
    live: dict[str, Any]


def record_of(table: InMemoryTable) -> Record:
    """Return all that is on record."""
    groups: dict[str, Group] = defaultdict(Group)
    live: dict[str, Any] = {}
    for row, _ in table.rows:
        partition, key = row["PartitionKey"], row["RowKey"]
        if partition == "live":
            live[key] = row
        elif key == "!watch":
            groups[partition].watch = row
        elif not partition.startswith("ended:"):
            state, _, request_id = key.partition("!")
            groups[partition].requests[state][_complemented(request_id) if state == "told" else request_id] = row
    return Record(groups, live)


def told_key(request_id: str) -> str:
    """Return the row key of a request that was told."""
    return f"told!{_complemented(request_id)}"


def _complemented(request_id: str) -> str:
    moment, dash, rest = request_id.partition("-")
    return moment.translate(_COMPLEMENTS) + dash + rest
