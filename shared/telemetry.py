"""Traces and metrics, by OpenTelemetry's API alone: where no SDK is set up, nothing happens.

Names are those of the semantic conventions for messaging, HTTP and CloudEvents, as far as there are any:
https://opentelemetry.io/docs/specs/semconv/. Nothing in here holds a group's ID: what stands for one in an address is
``REDACTED``, and in its template ``{id}``.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MAX_LINKS = 100
"""Of one span; the SDK keeps 128 at most."""

_SCOPE = "face-group-ops"
_MESSAGING_SYSTEM = "azure_storage_queue"  # the conventions have no name for it

# Proxies, which find the SDK when it is set up, be it later.
_tracer = trace.get_tracer(_SCOPE)
_meter = metrics.get_meter(_SCOPE)
_propagator = TraceContextTextMapPropagator()

_calls = _meter.create_counter("face.calls", "{call}", "Calls of the Face service, retries included.")
_throttled = _meter.create_counter("face.throttled", "{call}", "Calls that the Face service throttled (429).")
_polls = _meter.create_counter("face.training.polls", "{poll}", "Polls, by what they brought.")
_lateness = _meter.create_histogram("face.training.lateness", "s", "Age of a training's end when it was seen.")
_open = _meter.create_gauge("face.training.open_requests", "{request}", "Requests open when their groups were polled.")
_overdue = _meter.create_gauge("face.training.oldest_overdue", "s", "How late the most overdue poll is.")
_age = _meter.create_gauge("face.snapshot.age", "s", "Time since the newest snapshot was published.")


def processing(queue: str, message_id: str, traceparent: str | None) -> AbstractContextManager[None]:
    """Make a span of the handling of a queue message: in the trace that it belongs to, else in the host's."""
    return _messaging("process", SpanKind.CONSUMER, queue, {"messaging.message.id": message_id}, traceparent)


def sending(queue: str, event_id: str, traceparent: str | None) -> AbstractContextManager[None]:
    """Make a span of the sending of an event, in the trace that its request belongs to."""
    return _messaging("send", SpanKind.PRODUCER, queue, {"cloudevents.event_id": event_id}, traceparent)


def link(traceparents: Iterable[str | None]) -> None:
    """Link the span under way to other traces, those of the requests that its poll answers."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    own = span.get_span_context().trace_id
    for traceparent in sorted({each for each in traceparents if each is not None})[:MAX_LINKS]:
        context = trace.get_current_span(_context(traceparent)).get_span_context()
        if context.is_valid and context.trace_id != own:
            span.add_link(context)


class Call:
    """A call of the Face service that is under way."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def ended(self, status: int | None, error: str | None = None) -> None:
        """Note the response's status and, where the call failed, the name of the error."""
        _calls.add(1)
        if status == 429:
            _throttled.add(1)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if error is not None:
            self._span.set_attribute("error.type", error if status is None else str(status))
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def calling(method: str, endpoint: str, path: str) -> Iterator[Call]:
    """Make a span of a call of the Face service to ``path``, which is below ``/face/``."""
    template = f"/face/{_with(path, '{id}')}"
    address = urlsplit(endpoint)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        "url.full": f"{endpoint}/face/{_with(path, 'REDACTED')}",
        "url.template": template,
    }
    with _span(f"{method} {template}", SpanKind.CLIENT, attributes) as span:
        yield Call(span)


def count_poll(kind: str, response: str) -> None:
    """Count a poll by what it brought."""
    _polls.add(1, {"face.group.kind": kind, "face.training.response": response})


def record_lateness(kind: str, seconds: float) -> None:
    """Record how old a training's end was when it was seen."""
    _lateness.record(seconds, {"face.group.kind": kind})


def measure_watches(*, open_requests: int, oldest_overdue: float) -> None:
    """Measure how watches stand; ``oldest_overdue`` is in seconds."""
    _open.set(open_requests)
    _overdue.set(oldest_overdue)


def measure_snapshot_age(kind: str, seconds: float) -> None:
    """Measure how old the newest snapshot of a kind is."""
    _age.set(seconds, {"face.group.kind": kind})


@contextmanager
def _messaging(
    operation: str, kind: SpanKind, queue: str, identity: dict[str, str], traceparent: str | None
) -> Iterator[None]:
    attributes = {
        "messaging.system": _MESSAGING_SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
        **identity,
    }
    with _span(f"{operation} {queue}", kind, attributes, traceparent) as span:
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def _span(
    name: str, kind: SpanKind, attributes: dict[str, str] | dict[str, str | int], traceparent: str | None = None
) -> Iterator[Span]:
    context, links = None, []
    if traceparent is not None:
        # What the host has begun is another trace, and stays linked.
        context = _context(traceparent)
        around = trace.get_current_span().get_span_context()
        links = [Link(around)] if around.is_valid else []
    # An exception's own text may hold IDs, so it is not recorded.
    with _tracer.start_as_current_span(
        name, context, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def _context(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent})


def _with(path: str, text: str) -> str:
    """Return a path, ``<version>/<collection>/<ID>/<collection>/<ID>…``, with a text in place of each ID."""
    return "/".join(text if number % 2 == 0 and number > 0 else part for number, part in enumerate(path.split("/")))
