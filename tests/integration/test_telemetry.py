"""The traces and metrics of watches and snapshots, as the SDK of OpenTelemetry exports them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from opentelemetry import metrics, propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from local.face_emulator import faults
from shared import telemetry
from shared.face.client import FaceClient
from shared.face.page import ListedKind
from shared.snapshots.jobs import SnapshotJobs
from shared.storage import Storage
from shared.training.messages import MAX_DEQUEUE_COUNT, FollowUp
from shared.training.timer import OVERDUE_SECONDS
from tests.support.builders import GROUP, message
from tests.support.snapshots import snapshot_job
from tests.support.waiting import wait_for
from tests.support.watch_parts import WatchParts

TRACE_ID, OTHER_TRACE_ID = f"{0xABC:032x}", f"{0xDEF:032x}"
TRACEPARENT, OTHER = (f"00-{trace_id}-{0x123:016x}-01" for trace_id in (TRACE_ID, OTHER_TRACE_ID))


@dataclass(frozen=True)
class Exported:
    """What the SDK has exported."""

    spans: InMemorySpanExporter
    reader: InMemoryMetricReader

    def names(self, *, trace_id: str | None = None) -> list[str]:
        """Return the names of the spans of a trace, by their beginnings; of all traces unless told otherwise."""
        found = sorted(self.spans.get_finished_spans(), key=lambda span: span.start_time or 0)
        return [span.name for span in found if trace_id in (None, trace_of(span))]

    def named(self, begin: str) -> list[ReadableSpan]:
        """Return the spans whose names begin so."""
        return [span for span in self.spans.get_finished_spans() if span.name.startswith(begin)]

    def points(self, name: str) -> list[Any]:
        """Return the points of a metric."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def total(self, name: str, **attributes: str) -> float:
        """Return what a counter has come to so far; with some attributes, as far as they go."""
        points = self.points(name)
        return sum(float(each.value) for each in points if attributes.items() <= dict(each.attributes).items())


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}" if span.context else ""


def next_follow_up(parts: WatchParts) -> str:
    """Wait for the watch's next follow-up to come off the queue, and return its body."""
    messages = wait_for(lambda: list(parts.queue.receive_messages()), what="the follow-up")
    for each in messages:
        parts.queue.delete_message(each)
    return str(messages[0].content)


@pytest.fixture(scope="session")
def providers() -> Exported:
    """Set the SDK up, once for this process: its providers cannot be replaced."""
    exported = Exported(InMemorySpanExporter(), InMemoryMetricReader())
    spans = TracerProvider()
    spans.add_span_processor(SimpleSpanProcessor(exported.spans))
    trace.set_tracer_provider(spans)
    metrics.set_meter_provider(MeterProvider([exported.reader]))
    return exported


@pytest.fixture
def exported(providers: Exported) -> Iterator[Exported]:
    providers.spans.clear()
    yield providers
    everything = " ".join(span.to_json() for span in providers.spans.get_finished_spans())
    assert GROUP.group_id not in everything
    data = providers.reader.get_metrics_data()
    assert data is None or GROUP.group_id not in data.to_json()


def test_a_watch_with_three_polls_and_its_event_is_one_trace(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=60)
    parts.ask(traceparent=TRACEPARENT)
    parts.enqueue(next_follow_up(parts))
    parts.plan(duration=0)
    parts.enqueue(next_follow_up(parts))
    assert parts.event()["traceparent"] == TRACEPARENT
    get = "GET /face/v1.2-preview.1/largepersongroups/{id}/training"
    step = ["process training-watch", get]
    assert exported.names(trace_id=TRACE_ID) == exported.names() == [*step, *step, *step, "send training-results"]
    for span in exported.named("process"):
        assert span.parent is not None
        assert (span.parent.span_id, span.parent.is_remote) == (0x123, True)


def test_spans_have_the_names_and_attributes_of_the_conventions(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=0)
    request_id = parts.ask(traceparent=TRACEPARENT)
    (process,), (get,), (send,) = (exported.named(name) for name in ("process", "GET", "send"))
    assert (process.kind, get.kind, send.kind) == (SpanKind.CONSUMER, SpanKind.CLIENT, SpanKind.PRODUCER)
    assert dict(process.attributes or {}) == {
        "messaging.system": "azure_storage_queue",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "training-watch",
        "messaging.message.id": "request-0",
    }
    host, port = parts.emulator.endpoint.removeprefix("http://").split(":")
    assert dict(get.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": host,
        "server.port": int(port),
        "url.full": f"{parts.emulator.endpoint}/face/v1.2-preview.1/largepersongroups/REDACTED/training",
        "url.template": "/face/v1.2-preview.1/largepersongroups/{id}/training",
    }
    assert dict(send.attributes or {}) == {
        "messaging.system": "azure_storage_queue",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "training-results",
        "cloudevents.event_id": request_id,
    }


def test_a_consumer_that_reads_the_events_traceparent_joins_the_trace(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=0)
    parts.ask(traceparent=TRACEPARENT)
    event = parts.event()
    with trace.get_tracer("consumer").start_as_current_span("consume", propagate.extract(event)):
        pass
    (consumer,) = exported.named("consume")
    assert trace_of(consumer) == TRACE_ID
    assert exported.names(trace_id=TRACE_ID)[-1] == "consume"


def test_a_poll_that_answers_two_requests_is_in_one_trace_and_linked_to_the_other(
    parts: WatchParts, exported: Exported
) -> None:
    parts.plan(duration=60)
    parts.ask(1, traceparent=TRACEPARENT)
    parts.ask(2, traceparent=OTHER)
    exported.spans.clear()
    parts.plan(duration=0)
    parts.enqueue(next_follow_up(parts))
    (process,) = exported.named("process")
    assert trace_of(process) == TRACE_ID
    assert [f"{link.context.trace_id:032x}" for link in process.links] == [OTHER_TRACE_ID]
    assert {trace_of(span) for span in exported.named("send")} == {TRACE_ID, OTHER_TRACE_ID}


def test_what_the_host_has_begun_stays_linked(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=60)
    with trace.get_tracer("host").start_as_current_span("watch_training") as invocation:
        parts.ask(traceparent=TRACEPARENT)
    (process,) = exported.named("process")
    assert trace_of(process) == TRACE_ID
    assert [link.context.span_id for link in process.links] == [invocation.get_span_context().span_id]


def test_a_request_without_a_trace_is_handled_in_the_hosts(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=0)
    with trace.get_tracer("host").start_as_current_span("watch_training") as invocation:
        parts.ask()
    assert {span.context.trace_id for span in exported.spans.get_finished_spans() if span.context} == {
        invocation.get_span_context().trace_id
    }
    assert "traceparent" not in parts.event()


def test_a_follow_up_that_the_timer_sends_keeps_the_trace(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.ask(traceparent=TRACEPARENT)
    parts.queue.clear_messages()
    parts.time.sleep(parts.delay() + OVERDUE_SECONDS + 1)
    parts.jobs.caretaker.run()
    step = parts.record().watch.step
    assert next_follow_up(parts) == FollowUp(group=GROUP, step=step, traceparent=TRACEPARENT).body


def test_a_poisoned_request_is_told_in_its_trace(parts: WatchParts, exported: Exported) -> None:
    body = json.dumps({"groupId": GROUP.group_id, "traceparent": TRACEPARENT})
    parts.jobs.poison_handler.handle(message(body, dequeue_count=MAX_DEQUEUE_COUNT))
    assert exported.names(trace_id=TRACE_ID) == ["process training-watch-poison", "send training-results"]


def test_a_failed_call_is_marked_and_nothing_is_told_of_the_error(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=60)
    parts.emulator.control.faults(faults.ErrorResponse(status=500, code=GROUP.group_id, remaining=1))
    parts.ask(traceparent=TRACEPARENT)
    (get,) = exported.named("GET")
    assert get.attributes is not None
    assert (get.attributes["http.response.status_code"], get.attributes["error.type"]) == (500, "500")
    assert (get.status.is_ok, get.events) == (False, ())


def test_an_exception_in_a_span_leaves_its_class_alone(exported: Exported) -> None:
    with pytest.raises(ValueError), telemetry.processing("training-watch", "a", None):  # noqa: PT011 - our own
        raise ValueError(GROUP.group_id)
    (span,) = exported.named("process")
    assert dict(span.attributes or {})["error.type"] == "ValueError"
    assert span.events == ()


def test_polls_calls_and_throttled_ones_are_counted(parts: WatchParts, exported: Exported) -> None:
    before = {name: exported.total(name) for name in ("face.calls", "face.throttled", "face.training.polls")}
    throttled = exported.total("face.training.polls", **{"face.training.response": "Throttled"})
    parts.plan(duration=60)
    parts.emulator.control.faults(faults.Throttled(retry_after=1, remaining=1))
    parts.ask()
    parts.step(seconds=5)
    assert exported.total("face.calls") == before["face.calls"] + 2
    assert exported.total("face.throttled") == before["face.throttled"] + 1
    assert exported.total("face.training.polls") == before["face.training.polls"] + 2
    assert exported.total("face.training.polls", **{"face.training.response": "Throttled"}) == throttled + 1


def test_the_lateness_of_an_end_is_recorded(parts: WatchParts, exported: Exported) -> None:
    def count() -> int:
        return sum(each.count for each in exported.points("face.training.lateness"))

    before = count()
    parts.plan(duration=0)
    parts.ask()
    assert count() == before + 1


def test_the_timer_measures_open_requests_and_the_oldest_overdue_poll(parts: WatchParts, exported: Exported) -> None:
    parts.plan(duration=60)
    for number in range(3):
        parts.ask(number)
    parts.step(seconds=5)
    late = parts.delay() + OVERDUE_SECONDS + 7
    parts.time.sleep(late)
    parts.jobs.caretaker.run()
    assert [each.value for each in exported.points("face.training.open_requests")] == [3]
    parts.jobs.caretaker.run()
    assert [each.value for each in exported.points("face.training.oldest_overdue")] == [0]


def test_the_timer_measures_the_age_of_the_newest_snapshot(
    client: FaceClient, storage: Storage, container: ContainerClient, exported: Exported
) -> None:
    job = snapshot_job(client, container)
    jobs = SnapshotJobs({ListedKind.DYNAMIC_PERSON_GROUP: job}, None, storage.snapshot_requests_queue)
    jobs.measure_ages()
    assert exported.points("face.snapshot.age") == []
    jobs.run_all()
    jobs.measure_ages()
    (point,) = exported.points("face.snapshot.age")
    assert dict(point.attributes) == {"face.group.kind": "dynamicPersonGroup"}
    assert 0 <= point.value + 1 < 60
