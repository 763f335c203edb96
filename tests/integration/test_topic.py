"""The real client of Event Grid against a topic that fails in the usual ways: each event arrives, in one content."""

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from azure.core.settings import settings
from opentelemetry import context, trace

from shared.api.requests import RequestsApi
from shared.api.responses import Problem
from shared.training.events import MAX_BODY_BYTES
from shared.training.history import History
from shared.training.messages import Encoding
from shared.training.rows import LIVE, OWED, TOPIC
from shared.training.send import Sender
from shared.training.topic import MAX_EVENTS
from tests.support.builders import FACE, GROUP, TRACEPARENT, message
from tests.support.stand_in_topic import LOST, StandInTopic, stand_in_topic
from tests.support.watch_parts import WatchParts


@pytest.fixture
def topic() -> Iterator[StandInTopic]:
    with stand_in_topic() as running:
        yield running


@pytest.fixture
def told_parts(parts: WatchParts, topic: StandInTopic) -> WatchParts:
    """Return everything that watches need, with events that go to the topic as well."""
    parts.jobs = parts.process(topic_client=topic.client)
    parts.plan(duration=0)
    return parts


def reject(parts: WatchParts, number: int = 0) -> None:
    parts.jobs.watcher.handle(message(f"not a group {FACE}", message_id=f"body-{number}", inserted_at=parts.time.now))


def pass_minutes(parts: WatchParts, minutes: int) -> None:
    for _ in range(minutes):
        parts.time.sleep(60)
        parts.jobs.caretaker.run()


def assert_told(parts: WatchParts, topic: StandInTopic, count: int) -> None:
    """Check that both have so many events, the queue each once and the topic each in the queue's content."""
    queued = [json.loads(each) for each in parts.texts()]
    by_id = {each["id"]: each for each in queued}
    assert len(queued) == len(by_id) == count
    assert {each["id"] for each in topic.taken} == by_id.keys()
    assert all(each == by_id[each["id"]] for each in topic.taken)
    assert not any(key.startswith(OWED) for key in parts.row_keys())
    assert (parts.row_keys(LIVE), parts.row_keys(TOPIC)) == ([], [])


def test_an_event_comes_to_the_topic_as_it_is_on_the_queue(told_parts: WatchParts, topic: StandInTopic) -> None:
    told_parts.ask(0)
    told_parts.ask(1, traceparent=TRACEPARENT, correlationId="<Zoë>")
    reject(told_parts)
    assert topic.calls == 3
    assert_told(told_parts, topic, 3)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_failure_of_the_topic_delays_its_event_alone(
    told_parts: WatchParts, topic: StandInTopic, status: int
) -> None:
    topic.faults.extend([status] * 2)
    began = time.monotonic()
    told_parts.ask()
    reject(told_parts)
    assert time.monotonic() - began < 5  # the topic asks for a minute where it throttles
    assert (len(told_parts.texts()), topic.taken) == (2, [])
    pass_minutes(told_parts, 6)
    assert_told(told_parts, topic, 2)


def test_a_lost_response_repeats_the_same_event(told_parts: WatchParts, topic: StandInTopic) -> None:
    topic.faults.extend([LOST, LOST])
    told_parts.ask()
    pass_minutes(told_parts, 4)
    assert Counter(each["id"] for each in topic.taken).most_common(1)[0][1] == 3
    assert_told(told_parts, topic, 1)


def test_a_topic_that_is_down_for_an_hour_gets_each_event_afterwards(
    told_parts: WatchParts, topic: StandInTopic
) -> None:
    topic.down = True
    for number in range(12):
        told_parts.ask(number)
        reject(told_parts, number)
        assert len(told_parts.texts()) == 2 * (number + 1)
        pass_minutes(told_parts, 5)
    topic.down = False
    pass_minutes(told_parts, 5)
    assert_told(told_parts, topic, 24)


def test_what_is_owed_to_the_topic_alone_is_listed_and_shown(told_parts: WatchParts, topic: StandInTopic) -> None:
    topic.down = True
    request_id = told_parts.ask()
    (text,) = told_parts.texts()
    history = History(told_parts.table)
    (entry,) = history.ended(f"{told_parts.time.now:%Y-%m-%d}", "succeeded", 10, None).items
    assert entry.key.request_id == request_id
    assert history.event(entry) == text.encode()
    with pytest.raises(Problem) as refused:
        requests_api(told_parts).cancel(GROUP.kind.value, GROUP.group_id, request_id)
    assert (refused.value.status, bytes(refused.value.members["event"])) == (409, text.encode())
    topic.down = False
    pass_minutes(told_parts, 5)
    assert_told(told_parts, topic, 1)
    assert len(history.ended(f"{told_parts.time.now:%Y-%m-%d}", None, 10, None).items) == 1


def test_a_cancel_while_the_topic_is_down_shows_its_event(told_parts: WatchParts, topic: StandInTopic) -> None:
    told_parts.plan(duration=600)
    request_id = told_parts.ask()
    topic.down = True
    response = requests_api(told_parts).cancel(GROUP.kind.value, GROUP.group_id, request_id)
    assert (response.status, json.loads(response.body)["event"]) == (202, told_parts.event())


def requests_api(parts: WatchParts) -> RequestsApi:
    return RequestsApi(
        sender=Sender(parts.queue, Encoding.AUTO),
        store=parts.jobs.store,
        history=History(parts.table),
        canceller=parts.jobs.canceller,
        default_kind=GROUP.kind,
        clock=lambda: parts.time.now,
    )


@pytest.fixture
def traced() -> Iterator[None]:
    """Have the SDK trace its calls, as part of a trace that began outside."""
    settings.tracing_enabled.set_value(True)
    settings.tracing_implementation.set_value("opentelemetry")
    state = trace.TraceState([("sender", "1")])
    span = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True, trace_state=state))
    token = context.attach(trace.set_span_in_context(span))
    yield
    context.detach(token)
    settings.tracing_enabled.unset_value()
    settings.tracing_implementation.unset_value()


@pytest.mark.usefixtures("traced")
def test_an_event_without_a_trace_gets_none_on_its_way(told_parts: WatchParts, topic: StandInTopic) -> None:
    told_parts.ask()
    assert_told(told_parts, topic, 1)


def test_a_full_batch_of_the_largest_events_fits_a_request(told_parts: WatchParts, topic: StandInTopic) -> None:
    topic.down = True
    for number in range(MAX_EVENTS):
        body = "\\" * MAX_BODY_BYTES
        told_parts.jobs.watcher.handle(message(body, message_id=f"large-{number}", inserted_at=told_parts.time.now))
    topic.down = False
    calls = topic.calls
    pass_minutes(told_parts, 1)
    assert topic.calls == calls + 1
    assert_told(told_parts, topic, MAX_EVENTS)


def test_a_group_without_trouble_costs_one_call_of_the_topic(told_parts: WatchParts, topic: StandInTopic) -> None:
    told_parts.plan(duration=3_600)
    for number in range(5):
        told_parts.ask(number)
    told_parts.plan(duration=0)
    told_parts.step()
    assert topic.calls == 1
    assert told_parts.indexed(GROUP) is None
    assert_told(told_parts, topic, 5)
