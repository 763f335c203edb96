"""Build the values that tests are about, whole and valid but for what a test names."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.face.models import GroupKind, Training
from shared.training.decide import Policy
from shared.training.record import State, Watch
from shared.training.request import Message
from shared.training.schedule import Bounds

START = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
MESSAGE_ID = "9f2c1c1e-6a55-4d0f-8f0e-0c7f6f3f3a10"
WATCH_ID = f"20261120T100000Z-{MESSAGE_ID}"
POLICY = Policy(Bounds(least=1, most=60), timeout=21_600, grace=60)

_ENVIRONMENT = {
    "FACE_ENDPOINT": "https://faces.cognitiveservices.azure.com",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DataStorage": "UseDevelopmentStorage=true",
}


def environment(**changes: str) -> dict[str, str]:
    """Return the least that the app needs to start, with some settings changed or added."""
    return {**_ENVIRONMENT, **changes}


def message(body: str | bytes, *, message_id: str = MESSAGE_ID, inserted_at: datetime = START) -> Message:
    """Return a queue message as the host hands it over."""
    return Message(message_id, inserted_at, body.encode() if isinstance(body, str) else body)


def training(status: str = "running", **changes: Any) -> Training:
    """Return a training's status that was submitted at ``START``."""
    return Training(status, **{"created_date_time": "2026-11-20T10:00:00.0000000Z", **changes})


def watch(**changes: Any) -> Watch:
    """Return a watch of a large person group that began at ``START`` and has not looked yet."""
    begun = Watch(
        kind=GroupKind.LARGE_PERSON_GROUP,
        group_id="my-group",
        watch_id=WATCH_ID,
        state=State.WATCHING,
        step=0,
        started_at=START,
        next_look_at=START,
    )
    return msgspec.structs.replace(begun, **changes)
