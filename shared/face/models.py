"""What the Face service responds with, as documented and as recorded."""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.face.timestamps import Instant, parse_instant

MAX_MESSAGE_CHARS = 1024
"""The most that is kept of a message of the service; with it, an event fits a table property."""
MAX_WORD_CHARS = 100
"""The most that is kept of a status, a timestamp or an ID."""


class GroupKind(StrEnum):
    """A kind of group that can be trained."""

    PERSON_GROUP = "personGroup"
    LARGE_PERSON_GROUP = "largePersonGroup"
    LARGE_FACE_LIST = "largeFaceList"

    @property
    def path(self) -> str:
        """Return the kind's segment in the service's addresses, such as ``largepersongroups``."""
        return f"{self.lower()}s"


# "nonstarted" has been documented, too.
_DOCUMENTED_STATUSES = {
    "notstarted": "notStarted",
    "nonstarted": "notStarted",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
}


class Training(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A training's status, with the fields that the response had.

    Recorded responses leave out what the documents show as ``null``; person groups add
    ``lastSuccessfulTrainingId``, which is not documented.
    """

    status: str
    created_date_time: str | None = None
    last_action_date_time: str | None = None
    last_successful_training_date_time: str | None = None
    last_successful_training_id: str | None = None
    message: str | None = None  # why it failed

    @property
    def ended(self) -> bool:
        """Tell whether the training has ended, whatever the result."""
        return self.succeeded or self.failed

    @property
    def succeeded(self) -> bool:
        """Tell whether it ended well."""
        return self.status.lower() == "succeeded"

    @property
    def failed(self) -> bool:
        """Tell whether it ended badly."""
        return self.status.lower() == "failed"

    @property
    def documented_status(self) -> str | None:
        """Return the status as the service documents it, which may be logged; any other is outside text."""
        return _DOCUMENTED_STATUSES.get(self.status.lower())

    @property
    def created(self) -> Instant | None:
        """Return when this training was submitted; ``None`` where the response does not say so in a known form.

        An old reference of Azure China shows ``1/3/2017 4:11:35 AM``, whose offset and order of day and month are
        not documented.
        """
        return _instant(self.created_date_time)

    @property
    def ended_at(self) -> Instant | None:
        """Return when this training ended; ``None`` where it runs or the response does not say so in a known form."""
        if self.succeeded:
            return _instant(self.last_successful_training_date_time)
        return _instant(self.last_action_date_time) if self.failed else None


class TrainingStatus(msgspec.Struct, frozen=True):
    """The response to one poll."""

    training: Training
    date: datetime | None = None  # when the service responded, by its own clock (UTC)
    request_id: str | None = None  # to name to the service's support


def cut(text: str, limit: int = MAX_MESSAGE_CHARS) -> str:
    """Return a text of at most ``limit`` characters, the last of which is ``…`` where more was there."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def decode_training(body: bytes) -> Training:
    """Read the body of a training status; long texts are cut.

    Raises:
        ValueError: the body is not JSON or not of this schema.
    """
    return cut_texts(msgspec.json.decode(body, type=Training))


def cut_texts(training: Training) -> Training:
    """Return a training whose texts are no longer than is kept of them."""
    kept = {
        field: cut(text, MAX_MESSAGE_CHARS if field == "message" else MAX_WORD_CHARS)
        for field, text in msgspec.structs.asdict(training).items()
        if text is not None
    }
    return msgspec.structs.replace(training, **kept)


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        return None
