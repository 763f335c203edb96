"""Build the values that tests are about, whole and valid but for what a test names."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.face.models import GroupKind, Training, TrainingStatus
from shared.training.messages import Group, Message
from shared.training.record import RequestRecord, Watch

START = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
MESSAGE_ID = "9f2c1c1e-6a55-4d0f-8f0e-0c7f6f3f3a10"
REQUEST_ID = f"20261120T100000Z-{MESSAGE_ID}"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GROUP = Group(GroupKind.LARGE_PERSON_GROUP, "my-group")
FACE = "\N{GRINNING FACE}"  # four bytes of UTF-8, and twelve characters of ASCII JSON
OUTSIDE_TEXT = "<Zoë & Ünal>"

_ENVIRONMENT = {
    "FACE_ENDPOINT": "https://faces.cognitiveservices.azure.com",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DataStorage": "UseDevelopmentStorage=true",
}


def environment(**changes: str) -> dict[str, str]:
    """Return the least that the app needs to start, with some settings changed or added."""
    return {**_ENVIRONMENT, **changes}


def message(
    body: str | bytes, *, message_id: str = MESSAGE_ID, inserted_at: datetime = START, dequeue_count: int = 1
) -> Message:
    """Return a queue message as the host hands it over."""
    return Message(message_id, inserted_at, body.encode() if isinstance(body, str) else body, dequeue_count)


def training(status: str = "running", **changes: Any) -> Training:
    """Return a training's status that was submitted at ``START``."""
    return Training(status, **{"created_date_time": "2026-11-20T10:00:00.0000000Z", **changes})


def response(status: str = "running", *, seconds: float | None = None, **changes: Any) -> TrainingStatus:
    """Return the response to a poll, ``seconds`` after ``START`` by the service's clock where it tells it."""
    date = None if seconds is None else START + timedelta(seconds=seconds)
    return TrainingStatus(training(status, **changes), date, "5f9c2c1e-1111-4d0f-8f0e-0c7f6f3f3a10")


def watch(**changes: Any) -> Watch:
    """Return a live watch that has not polled yet."""
    return Watch(**{"live": True, **changes})


def request(number: int | None = None, **changes: Any) -> RequestRecord:
    """Return an open request that was enqueued at ``START``; those of different numbers differ in their IDs alone."""
    request_id = REQUEST_ID if number is None else f"20261120T100000Z-{number}"
    return RequestRecord(**{"request_id": request_id, "inserted_at": START, **changes})
