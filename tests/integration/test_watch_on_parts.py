"""One request on real queues, a real table and the emulator; time passes when a test says so."""

import json
import logging
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import AzureError

from local.face_emulator import faults
from shared.face.models import GroupKind
from shared.training import rows
from shared.training.messages import Encoding, FollowUp, Group, Message
from shared.training.record import Last
from tests.support.builders import GROUP, MESSAGE_ID, REQUEST_ID, START, TRACEPARENT, message
from tests.support.waiting import wait_for
from tests.support.watch_parts import WatchParts
from tests.support.watching import POLICY

LONG_ENOUGH = 3.0
"""Seconds that a training takes which a test has to meet while it runs, also on a busy machine."""
TRAIN = '{"groupId": "my-group", "train": true}'


@pytest.mark.parametrize("kind", list(GroupKind))
def test_a_training_that_succeeded_is_told_once(parts: WatchParts, kind: GroupKind) -> None:
    group = Group(kind, "my-group")
    parts.plan(group, duration=0)
    body = {"groupId": "my-group", "kind": kind, "correlationId": "order 7", "traceparent": TRACEPARENT}
    parts.enqueue(json.dumps(body))
    event = parts.event()
    assert (event["id"], event["type"]) == (REQUEST_ID, "face.training.succeeded")
    assert event["source"] == f"{parts.emulator.endpoint}/{kind.path}/my-group"
    assert (event["traceparent"], event["data"]["correlationId"]) == (TRACEPARENT, "order 7")
    data = event["data"]
    assert (data["training"]["status"], data["polls"], data["watchedSeconds"], data["error"]) == (
        "succeeded",
        1,
        0,
        None,
    )
    assert 0 <= data["lateSeconds"] < 60
    record = parts.record(group)
    assert (record.watch.live, record.open, record.owed) == (False, (), ())
    assert parts.jobs.store.is_told(group, REQUEST_ID)
    assert (parts.messages(), parts.indexed(group)) == (0, None)


def test_an_event_lives_for_seven_days(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.enqueue()
    (found,) = parts.results.peek_messages()
    assert found.expires_on is not None
    assert found.inserted_on is not None
    assert found.expires_on - found.inserted_on == timedelta(days=7)


@pytest.mark.parametrize("reason", ["No faces.", "\u0000\u000b\ufffe <&> \N{GRINNING FACE}"])
def test_a_training_that_failed_is_told_with_its_reason_whatever_its_characters(parts: WatchParts, reason: str) -> None:
    parts.plan(duration=0, outcome="failed", message=reason)
    parts.enqueue()
    data = parts.event()["data"]
    assert (data["outcome"], data["error"]["message"], data["training"]["message"]) == ("failed", reason, reason)


def test_a_follow_up_is_hidden_for_the_delay_never_expires_and_brings_the_next_poll(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue(json.dumps({"groupId": "my-group", "traceparent": TRACEPARENT}))
    assert parts.queue.receive_message() is None
    found = wait_for(parts.queue.receive_message, what="the follow-up to appear")
    body = {"kind": "largePersonGroup", "groupId": "my-group", "step": 1, "traceparent": TRACEPARENT}
    assert json.loads(found.content) == body
    assert found.expires_on is not None
    assert found.expires_on.year == 9999
    parts.time.sleep(20)
    parts.jobs.watcher.handle(Message(found.id, START, str(found.content).encode()))
    watch = parts.record().watch
    assert (watch.step, watch.polls, watch.last) == (2, 2, Last.RUNNING)
    assert 1 <= parts.delay() <= 60
    assert parts.texts() == []


def test_while_a_request_is_open_its_group_is_in_the_index(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    indexed = parts.indexed()
    assert indexed is not None
    assert indexed["nextPollAt"] == parts.record().watch.next_poll_at
    assert indexed["weight"] > 0


def test_a_request_times_out(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.step(seconds=21_600)
    data = parts.event()["data"]
    assert (data["outcome"], data["watchedSeconds"], data["polls"]) == ("timedOut", 21_600, 2)
    assert data["error"]["message"].startswith("no end within 21600 seconds; ")


def test_a_group_that_does_not_appear_in_the_grace_time_is_not_found(parts: WatchParts) -> None:
    parts.enqueue()
    assert parts.texts() == []
    parts.step(seconds=60)
    data = parts.event()["data"]
    assert (data["outcome"], data["training"]) == ("notFound", None)
    assert data["error"]["code"] == "LargePersonGroupNotFound"


def test_a_group_that_is_never_trained_is_told_so(parts: WatchParts) -> None:
    parts.emulator.control.group("largePersonGroup", "my-group")
    parts.enqueue()
    parts.step(seconds=60)
    data = parts.event()["data"]
    assert (data["outcome"], data["error"]["code"]) == ("notTrained", "LargePersonGroupNotTrained")


def test_a_group_that_appears_in_the_grace_time_is_watched_to_its_end(parts: WatchParts) -> None:
    parts.enqueue()
    parts.emulator.control.group("largePersonGroup", "my-group")
    parts.step(seconds=30)
    parts.plan(duration=0)
    parts.step(seconds=20)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}


def test_a_group_that_was_seen_has_the_grace_time_from_then_on(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.step(seconds=1_000)
    parts.emulator.control.faults(faults.ErrorResponse(status=404, code="LargePersonGroupNotFound"))
    parts.step(seconds=59)
    assert parts.texts() == []
    parts.step(seconds=1)
    assert parts.outcomes() == {REQUEST_ID: "notFound"}


def test_a_404_of_a_gateway_never_ends_a_request(parts: WatchParts, caplog: pytest.LogCaptureFixture) -> None:
    parts.plan(duration=0)
    parts.emulator.control.faults(faults.ErrorResponse(status=404, code="404", message="Resource not found"))
    parts.enqueue()
    parts.step(seconds=10_000)
    assert parts.texts() == []
    assert [record.levelname for record in caplog.records].count("ERROR") == 2
    parts.emulator.control.faults()
    parts.step()
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}


@pytest.mark.parametrize("encoding", [Encoding.AUTO, Encoding.BASE64])
def test_a_body_with_two_readings_is_told_so_where_the_first_is_not_found(
    parts: WatchParts, encoding: Encoding
) -> None:
    parts.plan(Group(GROUP.kind, "vip"), duration=0)
    jobs = parts.process(encoding=encoding)
    jobs.watcher.handle(message("dmlw"))
    if encoding is Encoding.BASE64:
        assert parts.event()["subject"] == "largePersonGroup/vip"
        return
    parts.step(seconds=60, group=Group(GROUP.kind, "dmlw"))
    data = parts.event()["data"]
    assert (data["outcome"], data["groupId"]) == ("notFound", "dmlw")
    assert "WATCH_MESSAGE_ENCODING" in data["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        "My Group",
        "",
        '{"groupId": "my-group", "trainedAfter": "yesterday"}',
        '{"id": "my-group", "dequeueCount": "many"}',
        '{"groupId": "my-group", "step": -1, "kind": "largePersonGroup"}',
        b"\xff\xfe",
        "x" * 49_000,
        "<&>\u0001\u0000\ufffe" * 2_000,
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_body_that_is_not_a_request_is_told_with_its_reason_the_same_each_time(
    parts: WatchParts, caplog: pytest.LogCaptureFixture, body: str | bytes
) -> None:
    with caplog.at_level(logging.INFO, logger="shared"):
        for _ in range(2):
            parts.enqueue(body)
    first, second = parts.texts()
    assert first == second
    event = json.loads(first)
    assert event["type"] == "face.training.rejected"
    assert event["data"]["error"]["message"]
    assert event["data"]["messageId"] == MESSAGE_ID
    assert parts.messages() == 0
    (row,) = parts.table.list_entities()
    assert (row["PartitionKey"], row["outcome"]) == ("ended:2026-11-20", "rejected")
    assert row["event"] == first.encode()
    assert parts.polls() == 0
    assert [record.getMessage() for record in caplog.records] == ["training request rejected"] * 2


def test_a_refusal_of_the_service_ends_a_request_as_rejected(parts: WatchParts) -> None:
    parts.emulator.control.faults(faults.ErrorResponse(status=400, code="BadArgument", message="'x' is invalid."))
    parts.enqueue()
    event = parts.event()
    assert (event["id"], event["data"]["outcome"], event["data"]["groupId"]) == (REQUEST_ID, "rejected", "my-group")
    assert event["data"]["error"] == {"code": "BadArgument", "message": "'x' is invalid."}
    assert parts.messages() == 0


# redelivery, crashes


def test_a_redelivered_request_is_the_same_request(parts: WatchParts) -> None:
    parts.plan(duration=60)
    for _ in range(3):
        parts.enqueue()
    assert (parts.record().watch.step, parts.messages(), parts.polls()) == (1, 1, 1)
    assert len(parts.record().open) == 1
    parts.plan(duration=0)
    parts.step()
    for _ in range(3):
        parts.enqueue()
    assert len(parts.texts()) == 1
    assert parts.polls() == 2


def test_a_fault_of_the_storage_raises_and_the_redelivery_tells_the_event_as_it_was_written(
    parts: WatchParts,
) -> None:
    parts.plan(duration=0)
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        parts.enqueue()
    (owed,) = parts.record().owed
    assert parts.indexed() is not None
    parts.results.create_queue()
    parts.time.sleep(3_600)
    parts.plan(duration=0, outcome="failed")
    parts.enqueue()
    assert owed.event is not None
    assert parts.texts() == [owed.event.decode()]
    assert (parts.record().owed, parts.polls()) == ((), 1)


def test_a_follow_up_without_a_record_and_one_that_is_passed_are_dropped(
    parts: WatchParts, caplog: pytest.LogCaptureFixture
) -> None:
    parts.follow(1)
    assert "follow-up without a record" in caplog.text
    assert (parts.polls(), parts.messages(), parts.row_keys()) == (0, 0, [])
    parts.plan(duration=60)
    parts.enqueue()
    step = parts.record().watch.step
    parts.follow(step - 1)
    assert (parts.record().watch.step, parts.polls(), parts.messages()) == (step, 1, 1)


@pytest.mark.parametrize("step", [200, 2**31 - 2, 2**31, 10**18])
def test_a_forged_follow_up_breaks_nothing(parts: WatchParts, step: int) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.follow(step)
    assert (parts.record().watch.step, parts.polls()) == (1, 1)
    parts.jobs.caretaker.run()
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}


def test_a_forged_follow_up_of_a_few_steps_ahead_costs_one_poll_and_starts_no_second_chain(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.follow(50)
    assert (parts.record().watch.step, parts.polls()) == (51, 2)
    parts.follow(1)  # the genuine one, which is passed now
    assert (parts.record().watch.step, parts.polls()) == (51, 2)
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}


def test_a_follow_up_of_a_watch_that_has_ended_is_dropped_and_makes_a_sender_begin_again(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.enqueue()
    before = parts.record().watch
    assert not before.live
    parts.follow(before.step + 1)
    after = parts.record().watch
    assert (after.live, after.step) == (False, before.step + 1)
    assert after.etag != before.etag
    assert (parts.polls(), parts.messages()) == (1, 0)


# troubles of the service

HTML = faults.Html(status=502)


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (faults.Throttled(retry_after=500), 500, 500),
        (faults.Throttled(retry_after=500, as_date=True), 498, 501),
        (faults.Throttled(message="Rate limit is exceeded. Try again in 260 seconds."), 260, 260),
        (faults.Throttled(message="Please retry after 1 second."), 1, 2),
        (faults.Throttled(message="Slow down."), 1, 2),
        (faults.Throttled(message="Slow down.", form="gateway"), 1, 2),
        (faults.Redirect(), 1, 2),
        (faults.ErrorResponse(status=408), 1, 2),
        (faults.ErrorResponse(status=409, code="ConcurrentOperationConflict"), 1, 2),
        (faults.ErrorResponse(status=423), 1, 2),
        (faults.ErrorResponse(status=500), 1, 2),
        (faults.ErrorResponse(status=503), 1, 2),
        (HTML, 1, 2),
        (faults.Html(status=200), 1, 2),
        (faults.Html(status=404), 1, 2),
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
    parts: WatchParts, caplog: pytest.LogCaptureFixture, fault: faults.AnyFault, least: float, most: float
) -> None:
    parts.plan(duration=0)
    parts.emulator.control.faults(fault)
    with caplog.at_level(logging.INFO, logger="shared"):
        parts.enqueue()
    watch = parts.record().watch
    assert (watch.step, watch.polls, watch.troubles, watch.last) == (1, 1, 1, Last.NO_ANSWER)
    assert least <= parts.delay() <= most
    assert (parts.texts(), parts.messages()) == ([], 1)
    for_people = getattr(fault, "status", None) in (401, 403, 404)
    assert [record.levelname for record in caplog.records].count("ERROR") == for_people
    assert [record.getMessage() for record in caplog.records].count("training polled") == 1
    assert "my-group" not in caplog.text
    assert parts.emulator.key not in caplog.text
    parts.emulator.control.faults()
    parts.step(seconds=parts.delay())
    assert parts.event()["data"]["outcome"] == "succeeded"


def test_troubles_back_off_up_to_the_longest_delay_and_the_request_times_out(parts: WatchParts) -> None:
    parts.emulator.control.faults(HTML)
    parts.enqueue()
    delays = [parts.delay()]
    for _ in range(7):
        parts.step(seconds=parts.delay())
        delays.append(parts.delay())
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    parts.step(seconds=21_600)
    data = parts.event()["data"]
    assert data["outcome"] == "timedOut"
    assert data["error"]["message"].endswith("the last poll brought: the Face service responded 502")


def test_no_wait_is_longer_than_a_message_can_be_hidden(parts: WatchParts) -> None:
    month = msgspec.structs.replace(POLICY, timeout=30 * 86_400.0)
    parts.emulator.control.faults(faults.Throttled(retry_after=10**6))
    parts.process(policy=month).watcher.handle(message("my-group"))
    assert parts.delay() == 604_800


def test_a_poll_whose_slot_is_far_away_is_made_when_the_slot_has_come(parts: WatchParts) -> None:
    parts.plan(duration=0)
    slow = parts.process(max_tps=0.1)
    # Others take the next slots.
    for number in range(3):
        slow.watcher.handle(message(f"group-{number}", message_id=f"other-{number}"))
    slow.watcher.handle(message("my-group"))
    record = parts.record()
    assert (record.watch.last, record.watch.paid_calls, record.watch.polls) == (Last.NO_ANSWER, 1, 0)
    assert parts.delay() > 20
    polls = parts.polls()
    parts.time.sleep(parts.delay())
    slow.watcher.handle(message(FollowUp(group=GROUP, step=record.watch.step).body))
    assert parts.polls() == polls + 1
    assert parts.outcomes()[REQUEST_ID] == "succeeded"


# demands


def test_an_end_that_is_older_than_trained_after_is_not_told(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.enqueue('{"groupId": "my-group", "trainedAfter": "2999-01-01T00:00:00Z"}')
    assert parts.texts() == []
    assert (parts.record().watch.step, parts.record().watch.last) == (1, Last.ENDED)


def test_the_app_starts_a_training_once_and_tells_its_end(parts: WatchParts) -> None:
    parts.plan(duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0, not_started=LONG_ENOUGH)
    parts.enqueue(TRAIN)
    assert parts.texts() == []
    (open_request,) = parts.record().open
    assert open_request.noted
    wait_for(parts.step_until(lambda: parts.texts()), what="the training's end")
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.event()["data"]["training"]["createdDateTime"] != open_request.noted_created
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"202": 1}}


def test_a_group_that_was_never_trained_is_trained(parts: WatchParts) -> None:
    parts.emulator.control.group("largePersonGroup", "my-group")
    parts.emulator.control.plan(duration=0)
    parts.enqueue(TRAIN)
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.train_calls() == 1


def test_a_group_that_was_never_trained_is_trained_however_late_its_request_is_handled(parts: WatchParts) -> None:
    parts.emulator.control.group("largePersonGroup", "my-group")
    parts.emulator.control.plan(duration=0)
    parts.time.sleep(600)
    parts.enqueue(TRAIN)
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.train_calls() == 1


def test_a_training_under_way_is_waited_for_before_the_apps_own(parts: WatchParts) -> None:
    parts.plan(duration=LONG_ENOUGH)
    parts.emulator.control.plan(duration=0)
    parts.enqueue(TRAIN)
    assert parts.train_calls() == 0
    (open_request,) = parts.record().open
    wait_for(parts.step_until(lambda: parts.texts()), what="the training's end")
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"202": 1}}
    assert parts.event()["data"]["training"]["createdDateTime"] != open_request.noted_created


TROUBLED_CALLS: list[tuple[faults.AnyFault, float]] = [
    (faults.ErrorResponse(operation="*.train", status=500), 60),
    (faults.Cut(operation="*.train", when="before"), 60),
    (faults.Throttled(operation="*.train", retry_after=5), 60),
    (faults.ErrorResponse(operation="*.train", status=403, code="PermissionDenied"), 300),
    (faults.ErrorResponse(operation="*.train", status=404, code="404"), 60),
]


@pytest.mark.parametrize(("fault", "seconds"), TROUBLED_CALLS, ids=str)
def test_a_train_call_that_failed_is_made_again_once_its_claim_is_over(
    parts: WatchParts, fault: faults.AnyFault, seconds: float
) -> None:
    parts.plan(duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0)
    parts.emulator.control.faults(fault)
    parts.enqueue(TRAIN)
    parts.emulator.control.faults()
    assert (parts.texts(), parts.train_calls()) == ([], 1)
    parts.step(seconds=5)
    assert (parts.texts(), parts.train_calls()) == ([], 1)
    parts.step(seconds=seconds)
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.train_calls() == 2


def test_a_train_call_that_conflicts_counts_as_running(parts: WatchParts) -> None:
    parts.plan(duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0)
    conflict = faults.ErrorResponse(operation="*.train", status=409, code="LargePersonGroupTrainingNotFinished")
    parts.emulator.control.faults(conflict)
    parts.enqueue(TRAIN)
    assert parts.texts() == []
    assert parts.record().watch.called_at is not None
    parts.emulator.control.faults()
    parts.step(seconds=61)
    assert parts.event()["data"]["outcome"] == "succeeded"


def test_a_train_call_that_the_service_does_not_accept_ends_the_request(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.emulator.control.faults(faults.ErrorResponse(operation="*.train", status=400, code="BadArgument"))
    parts.enqueue(TRAIN)
    data = parts.event()["data"]
    assert (data["outcome"], data["error"]["code"], data["polls"]) == ("rejected", "BadArgument", 1)
    assert (parts.indexed(), parts.messages()) == (None, 0)


def test_a_train_call_that_was_made_though_its_response_was_lost_is_not_made_again(parts: WatchParts) -> None:
    parts.plan(duration=0, outcome="failed")
    parts.emulator.control.plan(duration=0)
    parts.emulator.control.faults(faults.Cut(operation="*.train", when="after"))
    parts.enqueue(TRAIN)
    parts.emulator.control.faults()
    parts.step(seconds=1)
    assert parts.event()["data"]["outcome"] == "succeeded"
    assert parts.emulator.control.statistics().train_calls == {"largePersonGroup/my-group": {"none": 1}}


def test_two_processes_that_see_the_same_training_start_one(parts: WatchParts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.plan(duration=0)
    parts.emulator.control.plan(duration=0)
    face, other = parts.jobs.watcher.steps.face, parts.process()
    start_training = face.start_training

    def start_after_the_other(*arguments: Any, **options: Any) -> None:
        parts.ask(2, train=True, jobs=other)
        start_training(*arguments, **options)

    monkeypatch.setattr(face, "start_training", start_after_the_other)
    parts.ask(1, train=True)
    assert parts.train_calls() == 1
    wait_for(parts.step_until(lambda: len(parts.outcomes()) == 2), what="both ends")
    assert set(parts.outcomes().values()) == {"succeeded"}
    assert parts.train_calls() == 1


# the host's last tries, and what it gives up


@pytest.mark.parametrize("dequeue_count", [4, 5])
def test_a_request_that_has_failed_before_is_put_on_record_without_a_poll(
    parts: WatchParts, dequeue_count: int
) -> None:
    parts.plan(duration=0)
    parts.enqueue(dequeue_count=dequeue_count)
    assert (parts.polls(), parts.delay(), parts.record().watch.last) == (0, 600, Last.NO_ANSWER)
    assert (len(parts.record().open), parts.messages(), parts.indexed() is not None) == (1, 1, True)
    parts.enqueue(dequeue_count=dequeue_count)
    assert (parts.polls(), parts.messages()) == (0, 1)
    parts.step(seconds=600)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}


def test_a_follow_up_that_has_failed_before_is_left_to_the_timer(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.follow(1, dequeue_count=4)
    assert (parts.record().watch.step, parts.polls()) == (1, 1)
    parts.time.sleep(parts.delay() + 121)
    parts.jobs.caretaker.run()
    assert parts.messages() == 2


@pytest.mark.parametrize(
    ("body", "correlation_id", "group_id"),
    [
        ('{"groupId": "my-group", "train": true, "correlationId": "order 7"}', "order 7", "my-group"),
        ('{"groupId": "My Group", "correlationId": "order 7"}', "order 7", None),
        ("my-group", None, "my-group"),
        (b"\xff", None, None),
    ],
)
def test_what_the_host_gives_up_is_told_as_abandoned_with_an_id_of_its_own(
    parts: WatchParts, body: str | bytes, correlation_id: str | None, group_id: str | None
) -> None:
    for _ in range(2):
        parts.jobs.poison_handler.handle(message(body))
    first, second = parts.texts()
    assert first == second
    event = json.loads(first)
    data: dict[str, Any] = event["data"]
    assert (event["type"], data["outcome"]) == ("face.training.abandoned", "abandoned")
    assert event["id"] != REQUEST_ID
    assert (data["correlationId"], data["groupId"]) == (correlation_id, group_id)
    assert data["messageId"] == MESSAGE_ID
    assert data["body"] == body if isinstance(body, str) else "bodyBase64" in data
    assert (parts.messages(), parts.train_calls(), parts.row_keys(rows.LIVE)) == (0, 0, [])
    assert len(parts.row_keys("ended:2026-11-20")) == 1


def test_a_follow_up_that_the_host_gives_up_is_dropped(parts: WatchParts) -> None:
    parts.jobs.poison_handler.handle(message(FollowUp(group=GROUP, step=3).body))
    assert (parts.texts(), parts.messages(), list(parts.table.list_entities())) == ([], 0, [])
