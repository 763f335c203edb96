"""The watch's jobs on a table and queues of their own in Azurite and on the Face emulator.

Time passes when a test says so: the budget's row is in a table in memory, whose time is the test's.
"""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from local.face_emulator.process import FaceEmulator
from shared.budget.budget import Budget
from shared.budget.machine import Machine
from shared.budget.store import BudgetStore
from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.training import rows
from shared.training.messages import FollowUp, Group
from shared.training.record import GroupRecord
from tests.support.builders import GROUP, START, message
from tests.support.doubles.stamped_table import StampedTable
from tests.support.face_service import VERSION
from tests.support.recorded_transport import Call, RecordedTransport
from tests.support.watching import Jobs, watch_jobs


class ManualTime:
    """Seconds since 1970 that pass when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = START.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def now(self) -> datetime:
        """Return the moment, UTC."""
        return datetime.fromtimestamp(self.seconds, UTC)


class WatchParts:
    """Jobs of one process, and what they work on. ``process`` returns the jobs of another."""

    def __init__(self, connection_string: str, emulator: FaceEmulator) -> None:
        name = uuid.uuid4().hex
        self.emulator = emulator
        self.transport = RecordedTransport()
        self.table = TableClient.from_connection_string(
            connection_string, f"watch{name}", transport=self.transport, retry_backoff_factor=0
        )
        self.queue, self.results = (
            QueueClient.from_connection_string(connection_string, f"{kind}-{name}", transport=self.transport)
            for kind in ("watch", "results")
        )
        self.make_parts()
        self.time = ManualTime()
        self.budget_table = StampedTable(self.time)
        self.jobs = self.process()
        self._texts: list[str] = []

    def make_parts(self) -> None:
        """Make the table and the queues that are missing."""
        self.table.create_table()
        self.queue.create_queue()
        self.results.create_queue()

    def remove_parts(self) -> None:
        """Remove the table and the queues."""
        self.transport.losses = 0
        self.table.delete_table()
        self.queue.delete_queue()
        self.results.delete_queue()

    def process(self, *, max_tps: float = 1_000.0, **changes: Any) -> Jobs:
        """Return the jobs of one more process."""
        face = FaceClient(
            self.emulator.endpoint,
            KeyCredential(self.emulator.key),
            ApiVersions(VERSION, VERSION),
            timeouts=Timeouts(connect=1, read=0.3, call=0.6),
        )
        machine = Machine(monotonic=self.time, wall=self.time, sleep=self.time.sleep, jitter=lambda: 0.5)
        store = BudgetStore(cast("Any", self.budget_table), "faces.example")
        parts: dict[str, Any] = {
            "face": face,
            "budget": Budget(store, max_tps=max_tps, poll_worth=1.0, machine=machine),
            "table": self.table,
            "queue": self.queue,
            "results": self.results,
            "jitter": lambda: 0.0,
            "monotonic": self.time,
            "sleep": self.time.sleep,
        }
        return watch_jobs(**{**parts, **changes})

    def plan(self, group: Group = GROUP, **how: Any) -> None:
        """Make the group with a training under way that goes as planned."""
        self.emulator.control.plan(**how)
        self.emulator.control.group(group.kind.value, group.group_id, train=True)

    def enqueue(self, body: str | bytes = "my-group", **changes: Any) -> None:
        """Hand over a message as the host does."""
        self.jobs.watcher.handle(message(body, **changes))

    def ask(self, number: int = 0, group: Group = GROUP, *, jobs: Jobs | None = None, **demands: Any) -> str:
        """Hand over a request with these demands that was enqueued now; return its ID."""
        body = json.dumps({"groupId": group.group_id, "kind": group.kind, **demands})
        received = message(body, message_id=f"request-{number}", inserted_at=self.time.now)
        (jobs or self.jobs).watcher.handle(received)
        return received.request_id

    def follow(self, step: int, group: Group = GROUP, **changes: Any) -> None:
        """Hand over a follow-up of a step, a genuine or a forged one."""
        self.jobs.watcher.handle(message(FollowUp(group=group, step=step).body, **changes))

    def step(self, *, seconds: float = 0.0, group: Group = GROUP) -> None:
        """Let so many seconds pass, and hand over the watch's follow-up."""
        self.time.sleep(seconds)
        self.follow(self.record(group).watch.step, group)

    def step_until(self, condition: Callable[[], object]) -> Callable[[], bool]:
        """Return a condition to wait for, which takes a step of the watch each time that it does not hold."""

        def holds() -> bool:
            if condition():
                return True
            self.step()
            return bool(condition())

        return holds

    def record(self, group: Group = GROUP) -> GroupRecord:
        """Return what is open and owed of a group."""
        return self.jobs.store.read(group)

    def delay(self) -> float:
        """Return the seconds from now until the watch's next poll."""
        due = self.record().watch.next_poll_at
        assert due is not None
        return (due - self.time.now).total_seconds()

    def indexed(self, group: Group = GROUP) -> dict[str, Any] | None:
        """Return the group's row of the index of live groups."""
        try:
            return dict(self.table.get_entity(rows.LIVE, rows.partition_of(group)))
        except ResourceNotFoundError:
            return None

    def row_keys(self, partition: str | None = None) -> list[str]:
        """Return the keys of the rows of a partition, the group's unless told otherwise."""
        query = "PartitionKey eq @partition"
        found = self.table.query_entities(query, parameters={"partition": partition or rows.partition_of(GROUP)})
        return [str(row["RowKey"]) for row in found]

    def texts(self) -> list[str]:
        """Return all events so far, as they lay in the queue."""
        while page := list(self.results.receive_messages(max_messages=32, visibility_timeout=3_600)):
            self._texts += [each.content for each in page]
        return self._texts

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each event by its ID; each ID has one content."""
        told: dict[str, str] = {}
        for text in self.texts():
            event = json.loads(text)
            assert told.setdefault(event["id"], text) == text
        return {event_id: json.loads(text)["data"]["outcome"] for event_id, text in told.items()}

    def event(self) -> dict[str, Any]:
        """Return the one event that there is."""
        (text,) = self.texts()
        event: dict[str, Any] = json.loads(text)
        return event

    def messages(self) -> int:
        """Return how many messages the watch queue holds, hidden ones too."""
        return self.queue.get_queue_properties().approximate_message_count or 0

    def polls(self) -> int:
        """Return how many times the service was asked for a training's status."""
        requests = self.emulator.control.statistics().requests
        return sum(sum(counts.values()) for name, counts in requests.items() if name.endswith(".training"))

    def train_calls(self) -> int:
        """Return how many times the service was asked to train."""
        return sum(sum(counts.values()) for counts in self.emulator.control.statistics().train_calls.values())

    def calls_of(self, work: Callable[[], object]) -> list[Call]:
        """Return the calls of the storage that some work makes."""
        before = len(self.transport.calls)
        work()
        return self.transport.calls[before:]
