"""The commands that read events from the record, and send again what was rejected or abandoned."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cli.connect import Target, target
from cli.output import OTHER_OUTCOME, WRONG_USAGE, Json, confirm, err, fail, print_json
from cli.watches import print_event
from shared.training.history import EndedEntry
from shared.training.messages import Request
from shared.training.record import Outcome

FOLLOW_SECONDS = 1.0
LATE = timedelta(minutes=10)
"""How long after its event's time a row may come into the day's index, while the app's storage works."""

_REPLAYED = (Outcome.REJECTED, Outcome.ABANDONED)

Day = Annotated[str | None, typer.Option(help="A day in UTC, such as 2026-11-24; today without it.", metavar="DAY")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (events, replay):
        app.command()(command)


def events(
    context: typer.Context,
    day: Day = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with those that come, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Print the events of a day, from the record: the queue training-results keeps its own."""
    where = target(context)
    if follow and day:
        raise fail("expected either --day or --follow", WRONG_USAGE)
    entries = _followed(where) if follow else _ended_on(where, day)
    for entry in entries:
        event = where.history.event(entry)
        if event is not None:
            print_event(json.loads(event), as_json=as_json)


def replay(
    context: typer.Context,
    requests: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Only these: IDs of requests, or of events.")
    ] = None,
    day: Day = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Send the rejected and abandoned requests of a day again, each as a new request."""
    where = target(context)
    entries = [
        each
        for each in _ended_on(where, day)
        if each.outcome in _REPLAYED and (not requests or each.key.request_id in requests)
    ]
    if not yes and entries:
        confirm(f"Send {len(entries)} requests again?")
    sent = [_send_again(where, each) for each in entries]
    for entry, was_sent in zip(entries, sent, strict=True):
        if as_json:
            print_json({"id": entry.key.request_id, "outcome": entry.outcome, "sent": was_sent})
    err.print(f"{sum(sent)} of {len(entries)} sent again")
    if not all(sent) or (requests and len(entries) < len(set(requests))):
        raise fail("the others were not found on that day, or their events do not hold them whole", OTHER_OUTCOME)


def _send_again(where: Target, entry: EndedEntry) -> bool:
    """Return whether the record holds what is to be sent, and it was sent."""
    if entry.key.group is not None:
        told = where.history.ended_request(entry.key.group, entry.key.request_id)
        if told is None or told.unreadable:
            return False
        request = Request(
            group=entry.key.group,
            trained_after=told.trained_after,
            train=told.train,
            correlation_id=told.correlation_id,
            traceparent=told.traceparent,
        )
        where.sender.send(request)
        return True
    data: dict[str, Any] = {} if entry.event is None else json.loads(entry.event)["data"]
    body = data.get("body")
    if body is None or data.get("bodyTruncated"):
        return False
    # As it came: what was rejected may be valid under the settings of today.
    where.storage.watch_queue.send_message(body)
    return True


def _ended_on(where: Target, day: str | None) -> Iterator[EndedEntry]:
    try:
        first = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) if day else datetime.now(UTC)
    except ValueError:
        raise fail(f"--day is {day!r}; expected a day such as 2026-11-24", WRONG_USAGE) from None
    first = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return where.history.ended_since(first, first)


def _followed(where: Target) -> Iterator[EndedEntry]:
    """Yield what ends from now on."""
    began = datetime.now(UTC)
    seen = {each.key for each in where.history.ended_since(began - LATE, began)}
    while True:
        now = datetime.now(UTC)
        recent = list(where.history.ended_since(now - LATE, now))
        yield from (each for each in recent if each.key not in seen)
        seen = {each.key for each in recent}
        time.sleep(FOLLOW_SECONDS)
