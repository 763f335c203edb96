"""Bind every trigger to one call; reading this tells what the app does."""

from datetime import UTC, datetime
from uuid import uuid4

import azure.functions as func

from shared import wiring
from shared.redaction import redact_errors
from shared.training.messages import Message

# Read while the app is indexed: with a wrong setting no function starts, so no message is taken and spoiled.
settings = wiring.settings()

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
    """Take up overdue watches, send events that are owed, remove old records; make storage that is missing."""
    wiring.storage().make_watch_parts()
    wiring.caretaker().run()
    wiring.storage().make_snapshot_parts()


@app.timer_trigger("timer", schedule=settings.snapshot.schedule)
@redact_errors()
def snapshot_groups(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Publish a complete copy of the groups."""
    wiring.snapshot_job().run()


def _received(message: func.QueueMessage) -> Message:
    # A call through the host's admin address is no queue message, and has none of these.
    return Message(
        id=message.id or str(uuid4()),
        inserted_at=message.insertion_time or datetime.now(UTC),
        body=message.get_body(),
        dequeue_count=message.dequeue_count or 1,
    )
