"""Watch groups in a table with a long history, and count what each step costs."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec

from bench.scale.table import CountedTable
from shared.face.models import GroupKind
from shared.training import events, rows
from shared.training.decide import End
from shared.training.messages import FollowUp, Group, Message
from shared.training.record import Last, Outcome, RequestRecord, Watch
from shared.training.rows import LIVE, OPEN, TOLD
from shared.training.store import WatchStore
from tests.support.doubles.budget import ModelBudget
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ENDPOINT, ModelService
from tests.support.watching import Jobs, watch_jobs

if TYPE_CHECKING:
    from shared.face.client import FaceClient

RETENTION_DAYS = 30
REQUESTS_A_GROUP = 10
"""How many ended requests each group of the history has."""


class Cost(msgspec.Struct, frozen=True):
    """What one step made of the storage."""

    reads: int  # calls of the table that read
    writes: int  # calls of the table that write, a transaction as one
    follow_ups: int  # messages sent to the app's own queue
    events: int  # events sent
    live_rows: int  # rows read of what is open, owed or in the index
    history_rows: int  # rows read of what was told

    @property
    def calls(self) -> int:
        """Return the storage calls, without the events'."""
        return self.reads + self.writes + self.follow_ups


class Stage:
    """A process of the app, its parts in memory, with so many ended requests and live groups on record."""

    def __init__(self, *, ended: int, live: int) -> None:
        self.clock = VirtualClock()
        self.table = CountedTable(self.clock)
        self.queue, self.results = InMemoryQueue(self.clock), InMemoryQueue(self.clock, "event")
        self.service = ModelService(self.clock)
        self.jobs: Jobs = watch_jobs(
            face=cast("FaceClient", self.service),
            budget=ModelBudget(self.clock),
            table=self.table,
            queue=self.queue,
            results=self.results,
            retention=timedelta(days=RETENTION_DAYS),
            jitter=lambda: 0.5,
            monotonic=lambda: 0.0,
            sleep=self.clock.advance,
        )
        self._messages = 0
        self.table.load(self._history(ended))
        self.table.load(self._live(live))

    def request(self, group_id: str) -> Cost:
        """Send a request for a group, and handle it."""
        return self._cost(lambda: self._handle(group_id.encode()))

    def follow_up(self, group_id: str) -> Cost:
        """Handle the follow-up of a group's watch."""
        group = Group(GroupKind.LARGE_PERSON_GROUP, group_id)
        follow_up = FollowUp(group=group, step=WatchStore(cast("Any", self.table)).read(group).watch.step)
        return self._cost(lambda: self._handle(follow_up.body.encode()))

    def days_pass(self, days: int) -> None:
        """Let some days pass."""
        self.clock.advance(days * 86_400)

    def minute(self) -> Cost:
        """Run the timer once."""
        return self._cost(self.jobs.caretaker.run)

    def _handle(self, body: bytes) -> None:
        self._messages += 1
        self.jobs.watcher.handle(Message(f"message-{self._messages:08}", self.clock(), body))

    def _cost(self, work: Callable[[], None]) -> Cost:
        self.table.forget_counts()
        sent, told = len(self.queue.messages), len(self.results.messages)
        work()
        return Cost(
            reads=self.table.calls["read"],
            writes=self.table.calls["write"],
            follow_ups=len(self.queue.messages) - sent,
            events=len(self.results.messages) - told,
            live_rows=self.table.rows_read["live"],
            history_rows=self.table.rows_read["history"],
        )

    def _history(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield the rows of so many ended requests, spread over the days of the retention, none of them too old."""
        event = None
        for number in range(count):
            group = Group(GroupKind.LARGE_PERSON_GROUP, f"old-{number // REQUESTS_A_GROUP:07}")
            ended_at = self.clock() - timedelta(days=RETENTION_DAYS - number * RETENTION_DAYS // count)
            record = self._record(number, ended_at - timedelta(seconds=30))
            if event is None:
                seen = events.Seen(at=ended_at)
                event = events.ended(group, record, End(Outcome.SUCCEEDED), seen, source=ENDPOINT).event
            told = msgspec.structs.replace(record, outcome=Outcome.SUCCEEDED, ended_at=ended_at, event=event)
            yield rows.request_row(group, told, TOLD)
            yield {
                "PartitionKey": f"ended:{ended_at:%Y-%m-%d}",
                "RowKey": f"{ended_at:%Y-%m-%dT%H:%M:%S}.000Z!{group.kind.value}!{group.group_id}!{record.request_id}",
                "outcome": "succeeded",
            }
            if number % REQUESTS_A_GROUP == 0:
                yield rows.watch_row(group, Watch(step=3, last=Last.ENDED))

    def _live(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield the rows of so many groups that are being watched, none of them due."""
        due = self.clock() + timedelta(days=3)
        for number in range(count):
            group = Group(GroupKind.LARGE_PERSON_GROUP, f"live-{number:07}")
            yield rows.watch_row(group, Watch(live=True, step=2, last=Last.RUNNING, next_poll_at=due))
            yield rows.request_row(group, self._record(number, self.clock()), OPEN)
            yield {"PartitionKey": LIVE, "RowKey": rows.partition_of(group), "nextPollAt": due, "weight": 0.1}

    def _record(self, number: int, inserted_at: datetime) -> RequestRecord:
        request_id = f"{inserted_at:%Y%m%dT%H%M%SZ}-{number:08}-0000-4000-8000-000000000000"
        return RequestRecord(request_id=request_id, inserted_at=inserted_at)
