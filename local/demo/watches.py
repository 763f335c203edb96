"""The first job: enqueues the cases, shows how they end, and gathers the events."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from local.demo.cases import Case, make_cases
from local.demo.watch_table import Enqueued, Row, draw, make_rows, read_records
from local.face_emulator.control_client import Control
from local.stack import Event, Stack

LATER = timedelta(seconds=3)
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.4


@dataclass
class Watching:
    """What was enqueued, and the events so far."""

    enqueued: list[Enqueued] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether there is an event for each message."""
        return len({event["id"] for event in self.events}) >= len(self.enqueued)


def show_watches(stack: Stack, console: Console) -> Watching:
    """Enqueue the cases and show them until each has its event, for at most a minute."""
    later_at = datetime.now(UTC) + LATER
    cases = make_cases(trained_after=(later_at - timedelta(seconds=1)).isoformat())
    prepare(stack.face.control, cases)
    watching = Watching([_enqueue(stack, case) for case in cases if not case.late])
    with Live(console=console, auto_refresh=False) as live:
        follow = _Follower(stack, live, watching)
        follow.until(lambda rows: datetime.now(UTC) >= later_at and all(row.polls for row in rows if row.case.subject))
        submit_later(stack.face.control, cases)
        watching.enqueued += [_enqueue(stack, case) for case in cases if case.late]
        follow.until(lambda _: watching.complete)
    console.print()
    return watching


def prepare(control: Control, cases: Sequence[Case]) -> None:
    """Have the emulator hold the cases' groups, and the trainings that were submitted before."""
    for case in cases:
        if case.subject is None or not case.exists or case.late:
            continue
        kind, group_id = case.subject.split("/")
        submitted = case.training.submitted if case.training else "app"
        if case.training and submitted != "later":
            control.plan(kind, group_id, duration=case.training.seconds, outcome=case.training.outcome)
        control.group(kind, group_id, train=submitted != "app")


def submit_later(control: Control, cases: Sequence[Case]) -> None:
    """Have the emulator begin the trainings that come later than their requests."""
    for case in cases:
        if case.subject and case.training and case.training.submitted == "later":
            kind, group_id = case.subject.split("/")
            control.plan(kind, group_id, duration=case.training.seconds, outcome=case.training.outcome)
            control.group(kind, group_id, train=True)


def _enqueue(stack: Stack, case: Case) -> Enqueued:
    return Enqueued(case, stack.enqueue(case.body, as_base64=case.as_base64))


@dataclass
class _Follower:
    stack: Stack
    live: Live
    watching: Watching
    deadline: float = field(default_factory=lambda: time.monotonic() + DEADLINE_SECONDS)
    said: dict[str, str] = field(default_factory=dict)

    def until(self, done: Callable[[Sequence[Row]], bool]) -> None:
        """Show what happens until ``done`` says so of the rows, or the time is over."""
        while True:
            for event in self.stack.receive_events():
                self.watching.events.append(event)
                self.live.console.print(_line(event), soft_wrap=True)
            rows = self._read_rows()
            self.live.update(draw(rows, self.live.console.width), refresh=True)
            if not self.live.console.is_terminal:
                self._say_changes(rows)
            if done(rows) or time.monotonic() > self.deadline:
                return
            time.sleep(POLL_SECONDS)

    def _read_rows(self) -> list[Row]:
        rejected = {event["id"]: event for event in self.watching.events if "subject" not in event}
        bodies = {event["data"]["body"]: event["data"]["outcome"] for event in rejected.values()}
        ended = {one.message_id: bodies[one.case.body] for one in self.watching.enqueued if one.case.body in bodies}
        return make_rows(self.watching.enqueued, read_records(self.stack.storage.watch_table), ended)

    def _say_changes(self, rows: Sequence[Row]) -> None:
        for one, row in zip(self.watching.enqueued, rows, strict=True):
            # Its event tells of the end.
            if row.outcome is None and self.said.get(one.message_id) != row.state:
                self.said[one.message_id] = row.state
                self.live.console.print(escape(f"{row.case.subject or row.case.body}: {row.state}"), soft_wrap=True)


def _line(event: Event) -> str:
    data = event["data"]
    colour = "green" if data["outcome"] == "succeeded" else "yellow"
    error = f": {data['error']}" if data["error"] else ""
    whose = event.get("subject", data.get("body", ""))
    return f"[{colour}]event {event['type']}[/] {escape(whose)}, {data['watchedSeconds']} s{escape(error)}"
