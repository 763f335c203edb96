"""The app's table of watches and requests, drawn as a table."""

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
from shared.training.record import Outcome
from shared.training.rows import OPEN, OWED, TOLD, WATCH_ROW

# From so many columns on, the table holds everything.
WIDE = 110
OUTCOME_WIDTH = max(len(outcome.value) for outcome in Outcome)


@dataclass(frozen=True)
class Enqueued:
    """A case that was enqueued."""

    case: Case
    message_id: str  # what the ID of its request ends with


@dataclass(frozen=True)
class Row:
    """A row of the table: a case and the state of its request."""

    case: Case
    request_id: str | None = None  # None where it is not on record yet
    polls: int = 0  # while the request was open
    response: str = ""  # the training's status, or the code of an error
    next_poll: float | None = None  # seconds from now
    outcome: str | None = None

    @property
    def state(self) -> str:
        """The row in few words: ``poll 3: running``."""
        if self.polls:
            return f"poll {self.polls}: {self.response}"
        return "has joined the group's watch" if self.request_id else f"enqueued ({self.case.form})"


@dataclass(frozen=True)
class Records:
    """What the app's table holds."""

    watches: Mapping[str, Mapping[str, Any]]  # by partition
    requests: Mapping[str, Mapping[str, Any]]  # by the ID of the request's message


def read_records(table: TableClient) -> Records:
    """Return the records of all watches and requests."""
    entities = list(table.list_entities())
    return Records(
        watches={entity["PartitionKey"]: entity for entity in entities if entity["RowKey"] == WATCH_ROW},
        requests={
            entity["RowKey"].partition("Z-")[2]: entity
            for entity in entities
            if entity["RowKey"].startswith((OPEN, OWED, TOLD))
        },
    )


def make_rows(enqueued: Sequence[Enqueued], records: Records, ended: Mapping[str, str]) -> list[Row]:
    """Return a row for each case; ``ended`` holds the outcomes of those that have no record, by their message's ID."""
    now = datetime.now(UTC)
    return [
        _row(one.case, records.requests[one.message_id], records.watches, now)
        if one.message_id in records.requests
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
        outcome = f"[{'green' if row.outcome == 'succeeded' else 'red'}]{row.outcome}[/]" if row.outcome else ""
        if width >= WIDE:
            table.add_row(row.case.form, group, polls, escape(row.response), next_poll, outcome)
        else:
            table.add_row(group, polls, escape(row.response), outcome)
    return table


def _row(case: Case, request: Mapping[str, Any], watches: Mapping[str, Mapping[str, Any]], now: datetime) -> Row:
    if "event" in request:
        data = json.loads(request["event"])["data"]
        return Row(case, request["requestId"], data["polls"], _ended_response(data), None, data["outcome"])
    watch = watches.get(request["PartitionKey"], {})
    polls = watch.get("polls", 0) - request.get("pollsBefore", 0)
    next_poll = max(0.0, (watch["nextPollAt"] - now).total_seconds()) if "nextPollAt" in watch else None
    return Row(case, request["requestId"], polls, _response(watch) if polls else "", next_poll)


def _ended_response(data: Mapping[str, Any]) -> str:
    if data["training"] is None:
        return str((data["error"] or {}).get("code") or "")
    return str(data["training"]["status"])


def _response(watch: Mapping[str, Any]) -> str:
    return str(json.loads(watch["training"])["status"]) if "training" in watch else str(watch.get("last", ""))
