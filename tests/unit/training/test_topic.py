"""The topic gets each event as well as the queue, which it never holds up."""

import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from shared.face.models import GroupKind
from shared.training import rows
from shared.training.messages import Group
from shared.training.rows import LIVE, OWED, TOPIC
from shared.training.tell import Teller
from shared.training.topic import MAX_EVENTS, REST_SECONDS
from tests.support.builders import message
from tests.support.doubles.budget import ModelBudget
from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.errors import failed_with
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.service import ModelService
from tests.support.doubles.table import InMemoryTable
from tests.support.doubles.topic import ModelTopic
from tests.support.watching import Jobs, watch_jobs

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from shared.face.client import FaceClient

GROUP = Group(GroupKind.LARGE_PERSON_GROUP, "group")
TROUBLES = [
    failed_with(HttpResponseError, "TooManyRequests", 429),
    failed_with(HttpResponseError, "ServiceUnavailable", 503),
    failed_with(ClientAuthenticationError, "Unauthorized", 401),
    failed_with(HttpResponseError, "Forbidden", 403),
    ServiceRequestError("no connection"),
    ServiceResponseTimeoutError("no response"),
]


class Stage:
    """Processes on doubles, a group whose training has ended, and a topic."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.table = InMemoryTable(self.clock)
        self.queue = InMemoryQueue(self.clock)
        self.results = InMemoryQueue(self.clock, "results")
        self.topic = ModelTopic()
        self.service = ModelService(self.clock)
        self.service.begin("group", seconds=0)
        self.jobs = self.process()

    def process(self, *, with_topic: bool = True) -> Jobs:
        return watch_jobs(
            face=cast("FaceClient", self.service),
            budget=ModelBudget(self.clock),
            table=self.table,
            queue=self.queue,
            results=self.results,
            topic_client=self.topic if with_topic else None,
            jitter=lambda: 0.0,
            monotonic=lambda: self.clock().timestamp(),
            sleep=self.clock.advance,
        )

    def ask(self, number: int = 0, body: str = "group") -> None:
        self.jobs.watcher.handle(message(body, message_id=f"request-{number}", inserted_at=self.clock()))

    def pass_minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.clock.advance(60)
            self.jobs.caretaker.run()

    @property
    def queued(self) -> list[str]:
        """Return the events on the queue."""
        return [each.content for each in self.results.messages]

    def keys(self, partition: str) -> list[str]:
        return [row["RowKey"] for row, _ in self.table.rows if row["PartitionKey"] == partition]

    @property
    def owed(self) -> list[str]:
        return [key for key in self.keys(rows.partition_of(GROUP)) if key.startswith(OWED)]

    def assert_all_told(self) -> None:
        """Check that queue and topic have the same events, each once, and that nothing is left to do."""
        assert Counter(map(canonical, self.topic.taken)) == Counter(map(canonical, self.queued))
        assert max(Counter(self.queued).values()) == 1
        assert (self.owed, self.keys(LIVE), self.keys(TOPIC)) == ([], [], [])


def canonical(event: str) -> str:
    return json.dumps(json.loads(event), sort_keys=True)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_event_goes_to_the_topic_as_well(stage: Stage) -> None:
    stage.ask()
    stage.ask(body="not a group")
    assert len(stage.queued) == 2
    stage.assert_all_told()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: type(each).__name__)
def test_an_event_that_the_topic_does_not_take_stays_owed_to_it_alone(
    stage: Stage, trouble: AzureError, caplog: pytest.LogCaptureFixture
) -> None:
    stage.topic.trouble = trouble
    stage.ask()
    (owed,) = stage.jobs.store.read(GROUP).owed
    assert (len(stage.queued), owed.queued, stage.keys(LIVE)) == (1, True, [rows.partition_of(GROUP)])
    (warning,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert warning.getMessage() == "events not taken by the topic"
    assert vars(warning)["error"] == type(trouble).__name__
    stage.topic.trouble = None
    stage.pass_minutes(5)
    stage.assert_all_told()


def test_a_request_that_is_owed_is_over_also_where_somebody_has_deleted_its_watch(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask()
    stage.table.delete_entity(rows.partition_of(GROUP), rows.WATCH_ROW)
    stage.ask()
    assert (len(stage.queued), len(stage.owed)) == (1, 1)


def test_a_topic_that_is_down_for_an_hour_gets_all_and_the_queue_each_once(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    for number in range(30):
        stage.ask(number)
        stage.ask(number, body="not a group")
        stage.pass_minutes(2)
        assert len(stage.queued) == 2 * (number + 1)
    assert stage.topic.taken == []
    stage.topic.trouble = None
    stage.pass_minutes(5)
    assert len(stage.topic.taken) == 60
    stage.assert_all_told()


def test_a_topic_in_trouble_is_left_alone_for_a_while(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    for number in range(10):
        stage.ask(number)
    assert len(stage.topic.calls) == 1
    stage.clock.advance(REST_SECONDS)
    stage.ask(10)
    assert len(stage.topic.calls) == 2
    assert len(stage.queued) == 11


def test_a_poll_does_not_wait_for_what_only_the_topic_is_owed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask(0)
    stage.clock.advance(REST_SECONDS)
    calls_before_poll: list[int] = []
    poll = stage.service.training

    def training(kind: GroupKind, group_id: str) -> object:
        calls_before_poll.append(len(stage.topic.calls))
        return poll(kind, group_id)

    monkeypatch.setattr(stage.service, "training", training)
    stage.ask(1)
    assert calls_before_poll == [1]
    assert len(stage.topic.calls) == 2


def test_a_watch_that_goes_on_sends_the_topic_what_it_is_owed(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask(0)
    stage.topic.trouble = None
    stage.clock.advance(REST_SECONDS)
    stage.service.begin("group", seconds=600)
    stage.ask(1, body='{"groupId": "group", "trainedAfter": "2026-11-20T10:00:01Z"}')
    record = stage.jobs.store.read(GROUP)
    assert (len(record.open), record.owed, len(stage.topic.taken)) == (1, (), 1)


def test_one_bad_event_does_not_stop_the_others(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    for number in range(MAX_EVENTS + 2):
        stage.ask(number, body="not a group")
    stage.topic.trouble = None
    bad = stage.keys(TOPIC)[1]
    stage.topic.bad = {bad}
    stage.pass_minutes(1)
    assert len(stage.topic.taken) == MAX_EVENTS + 1
    assert stage.keys(TOPIC) == [bad]


def test_an_unreadable_row_of_kept_events_stops_nothing(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask(body="not a group")
    stage.table.upsert_entity({"PartitionKey": TOPIC, "RowKey": "0", "event": b"private"})
    stage.table.upsert_entity({"PartitionKey": TOPIC, "RowKey": "1", "event": "private"})
    stage.topic.trouble = None
    stage.pass_minutes(1)
    assert (len(stage.topic.taken), stage.keys(TOPIC)) == (1, ["0", "1"])


def test_an_event_that_somebody_marks_meanwhile_can_be_told_and_one_that_was_told_cannot_be_marked(
    stage: Stage,
) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask()
    (owed,) = stage.jobs.store.read(GROUP).owed
    store = stage.jobs.store
    store.note_queued(GROUP, [owed])  # has a new ETag from here on
    store.note_told(GROUP, [owed])
    assert stage.owed == []
    store.note_queued(GROUP, [owed])
    assert stage.owed == []


def test_without_the_topic_what_it_was_owed_is_told(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask()
    stage.jobs = stage.process(with_topic=False)
    stage.pass_minutes(4)
    assert (len(stage.queued), stage.owed, stage.keys(LIVE)) == (1, [], [])


def test_groups_that_wait_for_the_topic_come_after_those_whose_follow_up_is_lost(stage: Stage) -> None:
    stage.topic.trouble = TROUBLES[1]
    stage.ask()
    stage.pass_minutes(3)
    (row,) = stage.jobs.store.live()
    assert stage.clock() - row.next_poll_at <= timedelta(minutes=1)


@pytest.mark.parametrize("with_topic", [True, False])
def test_what_the_command_line_cancels_the_app_sends_to_its_topic(stage: Stage, *, with_topic: bool) -> None:
    store = stage.jobs.store
    teller = Teller(store, cast("QueueClient", stage.results), stage.service.endpoint, knows_topic=False)
    command_line = replace(stage.jobs.canceller, teller=teller)
    assert command_line.cancel(GROUP, f"{stage.clock():%Y%m%dT%H%M%SZ}-request")
    assert (len(stage.queued), len(stage.owed), stage.topic.taken) == (1, 1, [])
    stage.jobs = stage.process(with_topic=with_topic)
    stage.pass_minutes(4)
    assert (len(stage.queued), stage.owed, stage.keys(LIVE)) == (1, [], [])
    assert len(stage.topic.taken) == with_topic
