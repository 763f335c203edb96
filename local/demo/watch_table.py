"""The app's table of watches, drawn as a table."""

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

# From so many columns on, the table holds everything.
WIDE = 110
OUTCOME_WIDTH = max(map(len, ("succeeded", "superseded", "notTrained", "abandoned", "cancelled")))

_COLOURS = {"succeeded": "green", "superseded": "yellow"}


@dataclass(frozen=True)
class Enqueued:
    """A case that was enqueued."""

    case: Case
    message_id: str  # what the ID of its watch ends with


@dataclass(frozen=True)
class Row:
    """A row of the table: a case and the state of its watch."""

    case: Case
    polls: int = 0
    response: str = ""  # the training's status, or the code of an error
    next_poll: float | None = None  # seconds from now
    outcome: str | None = None

    @property
    def state(self) -> str:
        """The row in few words: ``poll 3: running``."""
        return f"poll {self.polls}: {self.response}" if self.polls else f"enqueued ({self.case.form})"


def read_records(table: TableClient) -> dict[str, Mapping[str, Any]]:
    """Return the records of all watches by their message's ID."""
    return {record["RowKey"].partition("-")[2]: record for record in table.list_entities()}


def make_rows(
    enqueued: Sequence[Enqueued], records: Mapping[str, Mapping[str, Any]], ended: Mapping[str, str]
) -> list[Row]:
    """Return a row for each case; ``ended`` holds the outcomes of those that have no record, by their message's ID."""
    now = datetime.now(UTC)
    return [
        _row(one.case, records[one.message_id], now)
        if one.message_id in records
        else Row(one.case, outcome=ended.get(one.message_id))
        for one in enqueued
    ]


def draw(rows: Sequence[Row], width: int) -> Table:
    """Return the rows as a table; a terminal of few columns (``width``) gets those that tell the outcome."""
    table = Table(box=SIMPLE, pad_edge=False)
    if width >= WIDE:
        table.add_column("enqueued as", no_wrap=True)
    table.add_column("group", overflow="ellipsis")
    table.add_column("polls", no_wrap=True, justify="right")
    table.add_column("the service says", overflow="ellipsis")
    if width >= WIDE:
        table.add_column("next poll", no_wrap=True, justify="right")
    table.add_column("outcome", no_wrap=True, width=OUTCOME_WIDTH)
    for row in rows:
        group, polls = escape(row.case.subject or row.case.body), str(row.polls or "")
        next_poll = "" if row.next_poll is None else f"{row.next_poll:.0f} s"
        outcome = f"[{_COLOURS.get(row.outcome, 'red')}]{row.outcome}[/]" if row.outcome else ""
        if width >= WIDE:
            table.add_row(row.case.form, group, polls, escape(row.response), next_poll, outcome)
        else:
            table.add_row(group, polls, escape(row.response), outcome)
    return table


def _row(case: Case, record: Mapping[str, Any], now: datetime) -> Row:
    outcome = record.get("outcome")
    wait = max(0.0, (record["nextLookAt"] - now).total_seconds())
    return Row(case, record.get("polls", 0), _response(record), None if outcome else wait, outcome)


def _response(record: Mapping[str, Any]) -> str:
    if trouble := record.get("lastTrouble"):
        # The service's code stands before its message.
        return str(trouble).partition(":")[0]
    return str(json.loads(record["training"])["status"]) if "training" in record else ""
