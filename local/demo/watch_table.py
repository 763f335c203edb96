"""What is being watched, read from the app's own table and drawn as one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.data.tables import TableClient
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from local.demo.cases import Case

_COLOURS = {"succeeded": "green", "superseded": "yellow"}


@dataclass(frozen=True)
class Enqueued:
    """A case and the ID of its message, with which the ID of its watch ends."""

    case: Case
    message_id: str


@dataclass(frozen=True)
class Row:
    """A case and how its watch stands: looks made, the service's last word, seconds to the next look, the outcome."""

    case: Case
    looks: int = 0
    answer: str = ""
    next_look: float | None = None
    outcome: str | None = None

    @property
    def state(self) -> str:
        """The row in few words: `look 3: running`."""
        return f"look {self.looks}: {self.answer}" if self.looks else f"enqueued ({self.case.form})"


def read_records(table: TableClient) -> dict[str, Mapping[str, Any]]:
    """Return the records of all watches by their message's ID."""
    return {record["RowKey"].partition("-")[2]: record for record in table.list_entities()}


def make_rows(
    enqueued: Sequence[Enqueued], records: Mapping[str, Mapping[str, Any]], ended: Mapping[str, str]
) -> list[Row]:
    """Return a row for each case; `ended` holds the outcomes of those that have no record, by their message's ID."""
    now = datetime.now(UTC)
    return [
        _row(one.case, records[one.message_id], now)
        if one.message_id in records
        else Row(one.case, outcome=ended.get(one.message_id))
        for one in enqueued
    ]


def draw(rows: Sequence[Row]) -> Table:
    """Return the rows as a table."""
    table = Table(box=SIMPLE, pad_edge=False)
    for name in ("enqueued as", "group", "looks", "the service says", "next look"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("looks", "next look") else "left")
    table.add_column("outcome", no_wrap=True, min_width=len("superseded"))
    for row in rows:
        outcome = row.outcome or ""
        table.add_row(
            row.case.form,
            escape(row.case.subject or row.case.body),
            str(row.looks or ""),
            escape(row.answer),
            "" if row.next_look is None else f"{row.next_look:.0f} s",
            f"[{_COLOURS.get(outcome, 'red')}]{outcome}[/]" if outcome else "",
        )
    return table


def _row(case: Case, record: Mapping[str, Any], now: datetime) -> Row:
    outcome = record.get("outcome")
    wait = max(0.0, (record["nextLookAt"] - now).total_seconds())
    return Row(case, record.get("polls", 0), _answer(record), None if outcome else wait, outcome)


def _answer(record: Mapping[str, Any]) -> str:
    if trouble := record.get("lastTrouble"):
        # The service's code stands before its message.
        return str(trouble).partition(":")[0]
    return str(json.loads(record["training"])["status"]) if "training" in record else ""
