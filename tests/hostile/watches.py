"""The app's watching on doubles of the storage and the service, as the host drives it, with an eye on its promises."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from azure.storage.queue import QueueMessage

from shared.api.requests import RequestsApi
from shared.api.responses import Query, Response, respond
from shared.api.watches import WatchesApi
from shared.budget.budget import Budget
from shared.budget.machine import Machine
from shared.budget.store import BudgetStore
from shared.face.models import GroupKind
from shared.redaction import StorageFault, redact_errors
from shared.training.history import History
from shared.training.messages import Encoding, Group, Message
from shared.training.send import Sender
from shared.training.store import LostRace
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ModelService
from tests.support.doubles.table import InMemoryTable
from tests.support.watching import POLICY, Jobs, watch_jobs

KIND = GroupKind.LARGE_PERSON_GROUP
MAX_DEQUEUE_COUNT = 5
_LEASE_SECONDS, _RETRY_SECONDS = 600, 30


class Watches:
    """One process and its host. ``requests`` are the IDs of all messages that are no follow-ups."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.table = InMemoryTable(self.clock)
        self.queue, self.poison, self.results = (
            InMemoryQueue(self.clock, name) for name in ("watch", "poison", "results")
        )
        self.service: Any = ModelService(self.clock)
        self.jobs = self.process()
        table: Any = self.table
        history = History(table)
        queue: Any = self.queue
        self.watches_api = WatchesApi(self.jobs.store, history, self.clock)
        self.requests_api = RequestsApi(
            sender=Sender(queue, Encoding.AUTO),
            store=self.jobs.store,
            history=history,
            canceller=self.jobs.canceller,
            default_kind=KIND,
            clock=self.clock,
        )

    def process(self, *, timeout: float = 21_600) -> Jobs:
        """Return the jobs of a process, which give a request up after so many seconds."""
        machine = Machine(monotonic=self._seconds, wall=self._seconds, sleep=self.clock.advance, jitter=lambda: 0.5)
        table: Any = self.table
        budget = Budget(BudgetStore(table, "faces.example"), max_tps=1_000, poll_worth=1.0, machine=machine)
        return watch_jobs(
            face=self.service,
            budget=budget,
            table=self.table,
            queue=self.queue,
            results=self.results,
            policy=msgspec.structs.replace(POLICY, timeout=timeout),
            jitter=lambda: 0.5,
            monotonic=self._seconds,
            sleep=self.clock.advance,
        )

    def _seconds(self) -> float:
        return self.clock().timestamp()

    def ask(self, group: Group) -> str:
        """Enqueue a request; return its ID."""
        sent = self.queue.send_message(group.subject)
        assert sent.inserted_on is not None
        return Message(str(sent.id), sent.inserted_on, b"").request_id

    def run(self, minutes: int, *told: str) -> dict[str, str]:
        """Let time pass, with the timer and all messages that are due, until these requests are told.

        Return the outcome of all that are.
        """
        for _ in range(minutes):
            self._tolerate(self.jobs.caretaker.run)
            while message := self.queue.receive_message(visibility_timeout=_LEASE_SECONDS):
                self._deliver(message)
            if told and self.outcomes().keys() >= set(told):
                break
            self.clock.advance(60)
        return self.outcomes()

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each event by its ID; each ID has one content."""
        told: dict[str, str] = {}
        for message in self.results.messages:
            event = json.loads(message.content)
            assert told.setdefault(event["id"], message.content) == message.content
        return {event_id: json.loads(text)["data"]["outcome"] for event_id, text in told.items()}

    def bodies(self) -> list[str]:
        """Return the bodies of the messages that are no follow-ups, on both queues."""
        return [
            str(each.content)
            for each in (*self.queue.messages, *self.poison.messages)
            if not str(each.content).startswith("{")
        ]

    def look(self, group: Group, request_id: str) -> None:
        """Ask for all that people may see; each response is JSON, and none an error of the app's own."""
        query = Query(base="https://app.example", path="/api")
        path = (group.kind.value, group.group_id)
        views: list[Callable[[], Response]] = [
            lambda: self.watches_api.group(query, *path),
            lambda: self.watches_api.live(query),
            lambda: self.watches_api.ended(query),
            lambda: self.requests_api.state(query, *path, request_id),
        ]
        for view in views:
            response = respond(view)
            assert response.status < 500, response.body
            json.loads(response.body)

    def plant(self, partition: str, row_key: str, properties: Mapping[str, Any]) -> None:
        """Write a row as somebody may who has the storage's key."""
        row = {name: value for name, value in properties.items() if value is not None}
        self.table.upsert_entity({**row, "PartitionKey": partition, "RowKey": row_key}, mode="replace")

    def _deliver(self, message: QueueMessage) -> None:
        """Hand over a message as the host does: again where its handler fails, to the poison queue after five times."""
        assert message.inserted_on is not None
        count = message.dequeue_count or 1
        received = Message(str(message.id), message.inserted_on, _bytes(message), count)
        receipt = str(message.pop_receipt)
        if not self._tolerate(lambda: self.jobs.watcher.handle(received)):
            if count < MAX_DEQUEUE_COUNT:
                self.queue.update_message(str(message.id), receipt, visibility_timeout=_RETRY_SECONDS)
                return
            self.poison.send_message(message.content)
        self.queue.delete_message(str(message.id), receipt)

    def _tolerate(self, work: Callable[[], object]) -> bool:
        """Do some work as a function does; return whether it went well. Only typed errors may leave it."""
        try:
            with redact_errors():
                work()
        except (StorageFault, LostRace):
            return False
        return True


def _bytes(message: QueueMessage) -> bytes:
    content: str | bytes = message.content
    return content.encode() if isinstance(content, str) else content
