"""The commands that watch trainings: send requests, see what is watched, cancel."""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Column, Table

from cli.connect import Target, target
from cli.output import FAILED, OTHER_OUTCOME, TIMED_OUT, WRONG_USAGE, Json, bar, err, fail, out, print_json
from shared.api.responses import Query
from shared.api.watches import WatchesApi
from shared.face.models import GroupKind
from shared.face.page import ListedKind
from shared.face.timestamps import format_utc
from shared.training.history import Continuation, LiveEntry
from shared.training.messages import Group, Request, read_group
from shared.training.record import Outcome

POLL_SECONDS = 0.5
PAGE = 1000

_CODES = {Outcome.SUCCEEDED: 0, Outcome.FAILED: FAILED, Outcome.TIMED_OUT: TIMED_OUT}

Kind = Annotated[GroupKind, typer.Option(help="The kind of a group that is named by its ID alone.")]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="A group's ID, or KIND/ID.")]


class Sent(msgspec.Struct, frozen=True, rename="camel"):
    """A request that was put on the queue."""

    request_id: str
    kind: GroupKind
    group_id: str


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (watch, watches, show, cancel):
        app.command()(command)


def watch(
    context: typer.Context,
    groups: Annotated[list[str] | None, typer.Argument(metavar="GROUP…", help="Groups' IDs, or KIND/ID.")] = None,
    kind: Kind = GroupKind.LARGE_PERSON_GROUP,
    train: Annotated[bool, typer.Option("--train", help="Have the app start the training.")] = False,
    every: Annotated[bool, typer.Option("--all", help="All groups of the kind that the service has.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the ends; the exit code tells the outcome.")] = False,
    as_json: Json = False,
) -> None:
    """Ask to be told when the trainings of groups have ended.

    With --wait the exit code is 0 where all succeeded, 3 where one failed, else 4 where one timed out, else 5.
    """
    where = target(context)
    if every == bool(groups):
        raise fail("expected either groups or --all", WRONG_USAGE)
    # Each is read before the first is sent.
    chosen = list(_service_groups(where, kind)) if every else [_group(name, kind) for name in groups or []]
    sent = []
    with bar("sent", len(chosen)) as advance:
        for group in chosen:
            request_id = where.sender.send(Request(group=group, train=train))
            sent.append(Sent(request_id, group.kind, group.group_id))
            advance()
    if not wait:
        for each in sent:
            if as_json:
                print_json(each)
            else:
                out.print(f"{each.kind}/{each.group_id}: {each.request_id}", highlight=False, markup=False)
        return
    outcomes = []
    for event in _wait_for(where, sent):
        print_event(event, as_json=as_json)
        outcomes.append(Outcome(event["data"]["outcome"]))
    raise typer.Exit(exit_code(outcomes))


def watches(context: typer.Context, as_json: Json = False) -> None:
    """List what is being watched now."""
    table = Table("group", "next poll")
    for each in _live(target(context)):
        due = format_utc(each.next_poll_at)
        if as_json:
            print_json({"kind": each.group.kind, "groupId": each.group.group_id, "nextPollAt": due})
        else:
            table.add_row(each.group.subject, due)
    if not as_json:
        out.print(table)


def show(
    context: typer.Context, group: GroupName, kind: Kind = GroupKind.LARGE_PERSON_GROUP, as_json: Json = False
) -> None:
    """Show a group's watch, its open requests, and how the newest others ended."""
    where, named = target(context), _group(group, kind)
    api = WatchesApi(where.watch_store, where.history, lambda: datetime.now(UTC))
    response = api.group(Query(base="", path=""), named.kind.value, named.group_id)
    content = json.loads(response.body)
    if as_json:
        print_json(content)
    else:
        _print_group(content)


def cancel(
    context: typer.Context,
    group: GroupName,
    request: Annotated[str | None, typer.Argument(help="A request's ID; without it, all open ones.")] = None,
    kind: Kind = GroupKind.LARGE_PERSON_GROUP,
    as_json: Json = False,
) -> None:
    """End a request of a group as cancelled, or all its open ones."""
    where, named = target(context), _group(group, kind)
    if request is None:
        response = where.requests_api.cancel_all(named.kind.value, named.group_id)
        cancelled = [each["requestId"] for each in json.loads(response.body)["value"]]
    else:
        where.requests_api.cancel(named.kind.value, named.group_id, request)
        cancelled = [request]
    if as_json:
        print_json({"cancelled": cancelled})
    else:
        err.print(f"{len(cancelled)} cancelled")


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """Return the exit code of some outcomes: 0 where all succeeded, else the lowest of the others."""
    codes = {_CODES.get(outcome, OTHER_OUTCOME) for outcome in outcomes}
    return min(codes - {0}, default=0)


def print_event(event: dict[str, Any], *, as_json: bool) -> None:
    """Print an event: whole for programs, on one line for people."""
    if as_json:
        print_json(event)
        return
    data = event["data"]
    subject = event.get("subject", "a body that is not a request")
    error = f": {data['error']['message']}" if data["error"] else ""
    text = f"{event['time']} {data['outcome']} {subject}, {data['watchedSeconds']} s{error}"
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_group(content: dict[str, Any]) -> None:
    facts = Table(show_header=False, box=None)
    status = (content["training"] or {}).get("status") or "not read yet"
    durations = ", ".join(f"{seconds:.1f} s" for seconds in content["pastDurations"])
    for name, text in (
        ("watched", "yes" if content["live"] else "no"),
        ("training", status),
        ("polls", str(content["polls"])),
        ("next poll", content["nextPollAt"] if content["live"] else ""),
        ("expected end", content["expectedEndAt"]),
        ("past trainings took", durations),
    ):
        facts.add_row(name, text or "")
    out.print(facts)
    requests = Table(Column("request", no_wrap=True), "outcome", "ended", "error")
    for each in content["open"]:
        requests.add_row(each["requestId"], "open")
    for event in content["ended"]:
        error = event["data"]["error"] or {}
        requests.add_row(event["id"], event["data"]["outcome"], event["time"], error.get("message") or "")
    out.print(requests)


def _wait_for(where: Target, sent: list[Sent]) -> Iterator[dict[str, Any]]:
    """Yield the events of requests as they end."""
    left = sent
    with bar("ended", len(sent)) as advance:
        while left:
            still = []
            for each in left:
                told = where.history.ended_request(Group(each.kind, each.group_id), each.request_id)
                if told is None or told.event is None:
                    still.append(each)
                else:
                    yield json.loads(told.event)
                    advance()
            left = still
            if left:
                time.sleep(POLL_SECONDS)


def _live(where: Target) -> Iterator[LiveEntry]:
    continuation: Continuation | None = None
    while True:
        page = where.history.live(PAGE, continuation)
        yield from page.items
        continuation = page.continuation
        if continuation is None:
            return


def _service_groups(where: Target, kind: GroupKind) -> Iterator[Group]:
    start = ""
    while page := where.groups_client.groups(ListedKind(kind.value), start):
        for each in page:
            yield Group(kind, each.group_id)
        start = page[-1].group_id


def _group(name: str, kind: GroupKind) -> Group:
    own_kind, _, group_id = name.rpartition("/")
    try:
        return read_group(own_kind or kind.value, group_id)
    except ValueError as error:
        raise fail(str(error), WRONG_USAGE) from None
