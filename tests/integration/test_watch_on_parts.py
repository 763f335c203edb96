"""The steps of a watch on real queues, a real table and the emulator; time passes when a test says so."""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import AzureError
from shared.training.report import Reporter
from shared.training.request import FollowUp, Message, Request

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.models import GroupKind
from shared.storage import Storage
from shared.training.poison import PoisonHandler
from shared.training.record import Watch, new_watch
from shared.training.store import WatchStore
from shared.training.watch import Watcher
from tests.support.builders import POLICY, START, WATCH_ID, message
from tests.support.waiting import wait_for

LARGE = GroupKind.LARGE_PERSON_GROUP


@dataclass
class Parts:
    """The watcher, what it works on, and its clock."""

    watcher: Watcher
    storage: Storage
    emulator: FaceEmulator
    now: list[datetime] = field(default_factory=lambda: [START])

    def enqueue(self, body: str | bytes, **changes: Any) -> None:
        """Hand over a request as the host does."""
        self.watcher.handle(message(body, **changes))

    def step(self, *, seconds: float = 0) -> None:
        """Let so many seconds pass, and hand over the watch's follow-up."""
        self.now[0] += timedelta(seconds=seconds)
        found = self.record()
        self.watcher.follow(FollowUp(found.watch_id, found.kind, found.group_id, found.step))

    def record(self, watch_id: str = WATCH_ID, kind: GroupKind = LARGE) -> Watch:
        """Return the watch as it is on record."""
        return self.watcher.store.read_from(kind, "my-group", watch_id)[0]

    def texts(self) -> list[str]:
        """Return the events so far, as they lie in the queue."""
        return [found.content for found in self.storage.results_queue.peek_messages(max_messages=32)]

    def event(self) -> dict[str, Any]:
        """Return the one event that there is."""
        (text,) = self.texts()
        event: dict[str, Any] = json.loads(text)
        return event

    def messages(self) -> int:
        """Return how many messages the watch queue holds, hidden ones too."""
        return self.storage.watch_queue.get_queue_properties().approximate_message_count or 0

    def delay(self) -> float:
        """Return the seconds from now until the watch is to look again."""
        return (self.record().next_look_at - self.now[0]).total_seconds()


@pytest.fixture
def parts(storage: Storage, face_emulator: FaceEmulator) -> Parts:
    """Return everything that a watch needs, fresh, with a group that is there."""
    face = FaceClient(
        face_emulator.endpoint,
        KeyCredential(face_emulator.key),
        ApiVersions(training="v1.2-preview.1", directory="v1.2-preview.1"),
        timeouts=Timeouts(connect=1, read=0.3, call=0.6),
    )
    now = [START]
    watcher = Watcher(
        face=face,
        store=WatchStore(storage.watch_table),
        queue=storage.watch_queue,
        reporter=Reporter(storage.results_queue),
        policy=POLICY,
        default_kind=LARGE,
        clock=lambda: now[0],
        jitter=lambda: 0.0,
    )
    return Parts(watcher, storage, face_emulator, now)


def plan(parts: Parts, kind: GroupKind = LARGE, **how: Any) -> None:
    """Make the group with a training under way that goes as planned."""
    parts.emulator.control.plan(**how)
    parts.emulator.control.group(kind.value, "my-group", train=True)


@pytest.mark.parametrize("kind", list(GroupKind))
def test_a_training_that_succeeded_is_told_once(parts: Parts, kind: GroupKind) -> None:
    plan(parts, kind, duration=0)
    parts.enqueue(json.dumps({"groupId": "my-group", "kind": kind, "correlationId": "order 7"}))
    event = parts.event()
    assert event["id"] == WATCH_ID
    assert event["type"] == "face.training.succeeded"
    assert event["source"] == f"{parts.emulator.endpoint}/{kind.path}/my-group"
    assert event["data"]["training"]["status"] == "succeeded"
    assert (event["data"]["polls"], event["data"]["correlationId"]) == (1, "order 7")
    assert parts.messages() == 0
    found = parts.record(kind=kind)
    assert (found.ended, found.owed, found.event) == (True, False, parts.texts()[0])


def test_an_event_lives_for_seven_days(parts: Parts) -> None:
    plan(parts, duration=0)
    parts.enqueue("my-group")
    (found,) = parts.storage.results_queue.peek_messages()
    assert found.expires_on is not None
    assert found.inserted_on is not None
    assert found.expires_on - found.inserted_on == timedelta(days=7)


@pytest.mark.parametrize("reason", ["No faces.", "\u0000\u000b\ufffe <&> \N{GRINNING FACE}"])
def test_a_training_that_failed_is_told_with_its_reason_whatever_its_characters(parts: Parts, reason: str) -> None:
    plan(parts, duration=0, outcome="failed", message=reason)
    parts.enqueue("my-group")
    data = parts.event()["data"]
    assert (data["outcome"], data["error"], data["training"]["message"]) == ("failed", reason, reason)


def test_a_follow_up_is_hidden_for_the_delay_and_never_expires(parts: Parts) -> None:
    plan(parts, duration=60)
    parts.enqueue("my-group")
    assert parts.storage.watch_queue.receive_message() is None
    found = wait_for(parts.storage.watch_queue.receive_message, what="the follow-up to appear")
    assert json.loads(found.content) == {
        "watchId": WATCH_ID,
        "kind": "largePersonGroup",
        "groupId": "my-group",
        "step": 1,
    }
    assert found.expires_on is not None
    assert found.expires_on.year == 9999
    parts.now[0] += timedelta(seconds=20)
    parts.watcher.handle(Message(found.id, START, str(found.content).encode()))
    assert (parts.record().step, parts.record().polls, parts.delay()) == (2, 2, 8)
    assert parts.texts() == []


def test_a_watch_times_out(parts: Parts) -> None:
    plan(parts, duration=60)
    parts.enqueue("my-group")
    parts.step(seconds=21_600)
    data = parts.event()["data"]
    assert (data["outcome"], data["watchedSeconds"]) == ("timedOut", 21_600)
    assert data["error"] == "no end within 21600 seconds; the last status was 'running'"


def test_a_group_that_does_not_appear_in_the_grace_time_is_not_found(parts: Parts) -> None:
    parts.enqueue("my-group")
    assert parts.texts() == []
    parts.step(seconds=60)
    data = parts.event()["data"]
    assert (data["outcome"], data["training"]) == ("notFound", None)
    assert data["error"].startswith("LargePersonGroupNotFound: ")


def test_a_group_that_is_never_trained_is_told_so(parts: Parts) -> None:
    parts.emulator.control.group(LARGE.value, "my-group")
    parts.enqueue("my-group")
    parts.step(seconds=60)
    data = parts.event()["data"]
    assert data["outcome"] == "notTrained"
    assert data["error"].startswith("LargePersonGroupNotTrained: ")


def test_a_group_that_appears_in_the_grace_time_is_watched_to_its_end(parts: Parts) -> None:
    parts.enqueue("my-group")
    parts.emulator.control.group(LARGE.value, "my-group")
    parts.step(seconds=30)
    plan(parts, duration=0)
    parts.step(seconds=20)
    assert parts.event()["data"]["outcome"] == "succeeded"


@pytest.mark.parametrize(
    "body",
    [
        "My Group",
        "",
        '{"groupId": "my-group", "trainedAfter": "yesterday"}',
        '{"id": "my-group", "dequeueCount": "many"}',
        b"\xff\xfe",
        "x" * 49_000,
        "<&>\u0001\u0000\ufffe",
    ],
)
def test_a_body_that_is_no_request_is_told_with_its_reason_the_same_each_time_and_leaves_nothing(
    parts: Parts, body: str | bytes
) -> None:
    for _ in range(2):
        parts.enqueue(body)
    first, second = parts.texts()
    assert first == second
    event = json.loads(first)
    assert event["type"] == "face.training.rejected"
    assert event["data"]["error"]
    text = body if isinstance(body, str) else body.decode(errors="replace")
    assert event["data"]["body"] == text[:256]
    assert parts.messages() == 0
    assert list(parts.storage.watch_table.list_entities()) == []
    assert parts.emulator.control.statistics().requests == {}


def test_a_refusal_of_the_service_ends_the_watch_as_rejected(parts: Parts) -> None:
    parts.emulator.control.faults(faults.ErrorResponse(status=400, code="BadArgument", message="'x' is invalid."))
    parts.enqueue("my-group")
    assert parts.event()["id"] == WATCH_ID
    data = parts.event()["data"]
    assert (data["outcome"], data["error"], data["groupId"]) == ("rejected", "BadArgument: 'x' is invalid.", "my-group")
    assert parts.messages() == 0


def test_a_newer_request_supersedes_the_older_one(parts: Parts) -> None:
    plan(parts, duration=60)
    parts.enqueue("my-group")
    parts.enqueue("my-group", message_id="newer", inserted_at=START + timedelta(seconds=5))
    parts.step(seconds=5)
    assert parts.event()["id"] == WATCH_ID
    data = parts.event()["data"]
    assert (data["outcome"], data["supersededBy"]) == ("superseded", "20261120T100005Z-newer")
    assert not parts.record("20261120T100005Z-newer").ended


def test_a_watch_whose_messages_are_poisoned_three_times_is_abandoned(parts: Parts) -> None:
    plan(parts, duration=60)
    parts.enqueue("my-group")
    body = FollowUp(WATCH_ID, LARGE, "my-group", step=1).body
    for number in (1, 2, 2, 3):
        assert parts.texts() == []
        PoisonHandler(parts.watcher, parts.storage.poison_queue).handle(message(body, message_id=f"poison-{number}"))
    assert parts.event()["data"]["outcome"] == "abandoned"


def test_a_redelivered_request_is_the_same_watch(parts: Parts) -> None:
    plan(parts, duration=60)
    for _ in range(3):
        parts.enqueue("my-group")
    assert (parts.record().step, parts.messages()) == (1, 1)
    plan(parts, duration=0)
    parts.step()
    for _ in range(3):
        parts.enqueue("my-group")
    assert len(parts.texts()) == 1


def test_a_redelivery_sends_the_event_that_is_still_owed_as_it_was_written(parts: Parts) -> None:
    plan(parts, duration=0)
    parts.enqueue("my-group")
    parts.watcher.store.replace(msgspec.structs.replace(parts.record(), owed=True))
    parts.now[0] += timedelta(hours=1)
    plan(parts, duration=0, outcome="failed")
    parts.enqueue("my-group")
    first, second = parts.texts()
    assert first == second
    assert not parts.record().owed


def test_a_follow_up_without_a_record_and_one_that_is_passed_are_dropped(parts: Parts) -> None:
    parts.watcher.follow(FollowUp(WATCH_ID, LARGE, "my-group", step=1))
    plan(parts, duration=60)
    parts.enqueue("my-group")
    parts.watcher.follow(FollowUp(WATCH_ID, LARGE, "my-group", step=0))
    assert (parts.record().step, parts.record().polls, parts.messages()) == (1, 1, 1)


def test_a_stale_end_is_not_told(parts: Parts) -> None:
    plan(parts, duration=0)
    parts.enqueue('{"groupId": "my-group", "trainedAfter": "2999-01-01T00:00:00Z"}')
    assert parts.texts() == []
    assert parts.record().step == 1


HTML = faults.Html(status=502)


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (faults.Throttled(retry_after=500), 500, 500),
        (faults.Throttled(retry_after=500, as_date=True), 498, 501),
        (faults.Throttled(message="Rate limit is exceeded. Try again in 260 seconds."), 260, 260),
        (faults.Throttled(message="Please retry after 1 second."), 1, 1),
        (faults.Throttled(message="Slow down."), 1, 2),
        (faults.Throttled(message="Slow down.", form="gateway"), 1, 2),
        (faults.Redirect(), 1, 2),
        (faults.ErrorResponse(status=408), 1, 2),
        (faults.ErrorResponse(status=500), 1, 2),
        (faults.ErrorResponse(status=503), 1, 2),
        (HTML, 1, 2),
        (faults.Html(status=200), 1, 2),
        (faults.BrokenJson(), 1, 2),
        (faults.Cut(when="before"), 1, 2),
        (faults.Cut(when="after"), 1, 2),
        (faults.Cut(when="body"), 1, 2),
        (faults.Hang(), 1, 2),
        (faults.ErrorResponse(status=401, code="401"), 300, 300),
        (faults.ErrorResponse(status=403, code="PermissionDenied"), 300, 300),
    ],
    ids=str,
)
def test_a_trouble_of_the_service_raises_nothing_and_is_over_when_it_is_over(
    parts: Parts, caplog: pytest.LogCaptureFixture, fault: faults.AnyFault, least: float, most: float
) -> None:
    plan(parts, duration=0)
    parts.emulator.control.faults(fault)
    with caplog.at_level(logging.INFO, logger="shared"):
        parts.enqueue("my-group")
    found = parts.record()
    assert (found.step, found.polls, found.troubles, parts.messages()) == (1, 1, 1, 1)
    assert found.last_trouble
    assert least <= parts.delay() <= most
    assert parts.texts() == []
    refused = isinstance(fault, faults.ErrorResponse) and fault.status in (401, 403)
    assert [record.levelname for record in caplog.records].count("ERROR") == refused
    assert "my-group" not in caplog.text
    assert parts.emulator.key not in caplog.text + found.last_trouble
    parts.emulator.control.faults()
    if not isinstance(fault, faults.Throttled):  # a 429 also holds the client's next calls
        parts.step(seconds=parts.delay())
        assert parts.event()["data"]["outcome"] == "succeeded"


def test_troubles_back_off_up_to_the_longest_delay_and_the_watch_times_out(parts: Parts) -> None:
    parts.emulator.control.faults(HTML)
    parts.enqueue("my-group")
    delays = [parts.delay()]
    for _ in range(7):
        parts.step(seconds=parts.delay())
        delays.append(parts.delay())
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    parts.step(seconds=21_600)
    data = parts.event()["data"]
    assert data["outcome"] == "timedOut"
    assert data["error"].endswith("the last answer was: the Face service responded 502")


def test_no_wait_is_longer_than_a_message_can_be_hidden(parts: Parts) -> None:
    week = msgspec.structs.replace(POLICY, timeout=604_800.0)
    watcher = Watcher(**{**vars(parts.watcher), "policy": week})
    parts.emulator.control.faults(faults.Throttled(retry_after=10**6))
    # Another instance, whose clock is ahead, began the watch.
    watcher.store.create(new_watch(Request("my-group", LARGE), WATCH_ID, START + timedelta(seconds=5)))
    watcher.follow(FollowUp(WATCH_ID, LARGE, "my-group", step=0))
    assert parts.delay() == 604_800


def test_the_app_starts_a_training_once_and_tells_its_end(parts: Parts) -> None:
    plan(parts, duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0, not_started=0.1)
    parts.enqueue('{"groupId": "my-group", "train": true}')
    assert parts.texts() == []
    found = parts.record()
    assert found.noted_created != found.training.created_date_time if found.training else False
    wait_for(lambda: _stepped_to_the_end(parts), what="the training's end")
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"202": 1}}


def test_a_training_under_way_is_waited_for_before_the_apps_own(parts: Parts) -> None:
    plan(parts, duration=0.3)
    parts.emulator.control.plan(duration=0)
    parts.enqueue('{"groupId": "my-group", "train": true}')
    assert parts.emulator.control.statistics().train_calls == {}
    before = parts.record().noted_created
    wait_for(lambda: _stepped_to_the_end(parts), what="the training's end")
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"202": 1}}
    assert parts.event()["data"]["training"]["createdDateTime"] != before


def test_a_train_call_that_conflicts_is_made_again_later(parts: Parts) -> None:
    parts.emulator.control.group(LARGE.value, "my-group")
    parts.emulator.control.plan(duration=0)
    parts.emulator.control.faults(faults.ErrorResponse(operation="*.train", status=409, code="TrainingNotFinished"))
    parts.enqueue('{"groupId": "my-group", "train": true}')
    assert parts.texts() == []
    parts.emulator.control.faults()
    parts.step(seconds=1)
    assert parts.event()["data"]["outcome"] == "succeeded"


def test_a_train_call_that_was_made_though_its_answer_was_lost_is_not_made_again(parts: Parts) -> None:
    plan(parts, duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0)
    parts.emulator.control.faults(faults.Cut(operation="*.train", when="after"))
    parts.enqueue('{"groupId": "my-group", "train": true}')
    parts.emulator.control.faults()
    parts.step(seconds=1)
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"none": 1}}


def test_a_fault_of_the_storage_raises_and_what_was_begun_goes_on_afterwards(parts: Parts) -> None:
    plan(parts, duration=0)
    parts.storage.results_queue.delete_queue()
    with pytest.raises(AzureError):
        parts.enqueue("my-group")
    assert parts.record().owed
    parts.storage.make_missing()
    parts.enqueue("my-group")
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert not parts.record().owed


def _stepped_to_the_end(parts: Parts) -> bool:
    parts.step()
    return parts.record().ended


def test_of_two_requests_of_one_second_the_later_is_not_superseded_by_one_that_is_over(parts: Parts) -> None:
    plan(parts, duration=0)
    parts.enqueue("my-group", message_id="z-first")
    parts.now[0] += timedelta(seconds=0.5)
    parts.enqueue("my-group", message_id="a-second")
    outcomes = [event["data"]["outcome"] for event in map(json.loads, parts.texts())]
    assert outcomes == ["succeeded", "succeeded"]
