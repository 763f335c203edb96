"""Bind every trigger to one call; reading this tells what the app does."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import azure.functions as func

from shared import wiring
from shared.api.responses import Query, Response, respond
from shared.redaction import redact_errors
from shared.training.messages import Message

# Read while the app is indexed: with a wrong setting no function starts, so no message is taken and spoiled.
settings = wiring.settings()

# Behind the platform's authentication no key is needed: the settings made sure that it is on.
HTTP_LEVEL = func.AuthLevel.ANONYMOUS if settings.http_auth == "entra" else func.AuthLevel.FUNCTION

app = func.FunctionApp()

# Bound as bytes, the host leaves the body alone; of a string's JSON properties it would make trigger metadata.


@app.queue_trigger("message", queue_name="training-watch", connection="DataStorage", data_type=func.DataType.BINARY)
@redact_errors()
def watch_training(message: func.QueueMessage) -> None:
    """Take up a request for a group's training, or the next step of a watch."""
    wiring.watcher().handle(_received(message))


@app.queue_trigger(
    "message", queue_name="training-watch-poison", connection="DataStorage", data_type=func.DataType.BINARY
)
@redact_errors()
def watch_training_poison(message: func.QueueMessage) -> None:
    """Tell what failed five times."""
    wiring.poison_handler().handle(_received(message))


@app.timer_trigger("timer", schedule="0 * * * * *", run_on_startup=True)
@redact_errors()
def look_after_watches(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Take up overdue watches and failed snapshots, send events that are owed, remove old records, and measure."""
    wiring.storage().make_watch_parts()
    wiring.caretaker().run()
    wiring.snapshot_jobs().request_failed()
    wiring.snapshot_jobs().measure_ages()


@app.timer_trigger("timer", schedule=settings.snapshot.schedule)
@redact_errors()
def snapshot_groups(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Publish a complete copy of the groups of each kind that is kept."""
    wiring.snapshot_jobs().run_all()


@app.queue_trigger("message", queue_name="snapshot-requests", connection="DataStorage", data_type=func.DataType.BINARY)
@redact_errors()
def take_snapshot(message: func.QueueMessage) -> None:
    """Take a snapshot that was asked for, or take up one that failed."""
    wiring.snapshot_jobs().handle(message.get_body())


@app.route("requests", methods=["POST"], auth_level=HTTP_LEVEL)
def send_requests(req: func.HttpRequest) -> func.HttpResponse:
    """Send one request, or an array of them."""
    return _answer(req, lambda query: wiring.requests_api().send(query))


@app.route("groups/{kind}/{groupId}", methods=["GET"], auth_level=HTTP_LEVEL)
def get_group(req: func.HttpRequest) -> func.HttpResponse:
    """Show a group's watch, its open requests and the newest that have ended."""
    return _answer(req, lambda query: wiring.watches_api().group(query, *_path(req, "kind", "groupId")))


@app.route("groups/{kind}/{groupId}/requests/{requestId}", methods=["GET"], auth_level=HTTP_LEVEL)
def get_request(req: func.HttpRequest) -> func.HttpResponse:
    """Show a request's state, and its event once it has ended."""
    return _answer(req, lambda query: wiring.requests_api().state(query, *_path(req, "kind", "groupId", "requestId")))


@app.route("groups/{kind}/{groupId}/requests/{requestId}", methods=["DELETE"], auth_level=HTTP_LEVEL)
def cancel_request(req: func.HttpRequest) -> func.HttpResponse:
    """End an open request as cancelled."""
    return _answer(req, lambda _: wiring.requests_api().cancel(*_path(req, "kind", "groupId", "requestId")))


@app.route("groups/{kind}/{groupId}/requests", methods=["DELETE"], auth_level=HTTP_LEVEL)
def cancel_requests(req: func.HttpRequest) -> func.HttpResponse:
    """End all open requests of a group as cancelled."""
    return _answer(req, lambda _: wiring.requests_api().cancel_all(*_path(req, "kind", "groupId")))


@app.route("watches", methods=["GET"], auth_level=HTTP_LEVEL)
def get_watches(req: func.HttpRequest) -> func.HttpResponse:
    """List what is being watched."""
    return _answer(req, lambda query: wiring.watches_api().live(query))


@app.route("ended", methods=["GET"], auth_level=HTTP_LEVEL)
def get_ended(req: func.HttpRequest) -> func.HttpResponse:
    """List what ended on a day."""
    return _answer(req, lambda query: wiring.watches_api().ended(query))


@app.route("snapshots", methods=["GET"], auth_level=HTTP_LEVEL)
def get_snapshots(req: func.HttpRequest) -> func.HttpResponse:
    """List the snapshots, newest first."""
    return _answer(req, lambda query: wiring.snapshots_api().list(query))


@app.route("snapshots/{kind}/{snapshotId}", methods=["GET"], auth_level=HTTP_LEVEL)
def get_snapshot(req: func.HttpRequest) -> func.HttpResponse:
    """Show a snapshot's manifest."""
    return _answer(req, lambda query: wiring.snapshots_api().manifest(query, *_path(req, "kind", "snapshotId")))


@app.route("snapshots", methods=["POST"], auth_level=HTTP_LEVEL)
def order_snapshot(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a snapshot now."""
    return _answer(req, lambda query: wiring.snapshots_api().take(query))


@app.route("health", methods=["GET"], auth_level=HTTP_LEVEL)
def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what works and what does not."""
    return _answer(req, lambda _: wiring.health())


@app.route("openapi.json", methods=["GET"], auth_level=HTTP_LEVEL)
def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Describe these functions."""
    return _answer(req, lambda _: wiring.openapi())


@app.route("ui", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def get_ui(req: func.HttpRequest) -> func.HttpResponse:
    """Serve the page, which holds no data; it asks for a key, or goes by the signed-in user."""
    return _answer(req, lambda _: wiring.ui())


def _answer(req: func.HttpRequest, work: Callable[[Query], Response]) -> func.HttpResponse:
    response = respond(lambda: work(_query(req)))
    return func.HttpResponse(
        response.body, status_code=response.status, headers=dict(response.headers), mimetype=response.content_type
    )


def _query(req: func.HttpRequest) -> Query:
    address = urlsplit(req.url)
    return Query(
        base=f"{address.scheme}://{address.netloc}",
        path=address.path,
        parameters=dict(req.params),
        body=req.get_body(),
        if_none_match=req.headers.get("If-None-Match"),
    )


def _path(req: func.HttpRequest, *names: str) -> list[str]:
    return [req.route_params.get(name) or "" for name in names]


def _received(message: func.QueueMessage) -> Message:
    # A call through the host's admin address is no queue message, and has none of these.
    return Message(
        id=message.id or str(uuid4()),
        inserted_at=message.insertion_time or datetime.now(UTC),
        body=message.get_body(),
        dequeue_count=message.dequeue_count or 1,
    )
