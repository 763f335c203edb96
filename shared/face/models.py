"""Name what the Face service answers, as it was documented and as it was seen."""

from enum import StrEnum

import msgspec

from shared.face.timestamps import Instant, parse_instant

MAX_MESSAGE_CHARS = 800
"""How many characters are kept of what the service says: with it, an event fits a table property."""


class GroupKind(StrEnum):
    """Name the three kinds of groups that can be trained."""

    PERSON_GROUP = "personGroup"
    LARGE_PERSON_GROUP = "largePersonGroup"
    LARGE_FACE_LIST = "largeFaceList"

    @property
    def path(self) -> str:
        """Return the kind's segment in the service's addresses, such as ``largepersongroups``."""
        return f"{self.lower()}s"


class Training(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Hold a training's status, with the fields that the answer had.

    Recorded answers leave out what the documents show as ``null``; person groups add
    ``lastSuccessfulTrainingId``, which no document has.
    """

    status: str
    created_date_time: str | None = None
    last_action_date_time: str | None = None
    last_successful_training_date_time: str | None = None
    last_successful_training_id: str | None = None
    message: str | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the training has come to an end, good or bad."""
        return self.succeeded or self.failed

    @property
    def succeeded(self) -> bool:
        return self.status.lower() == "succeeded"

    @property
    def failed(self) -> bool:
        return self.status.lower() == "failed"

    @property
    def created(self) -> Instant | None:
        """Return when this training was submitted; ``None`` where the answer does not say."""
        return None if self.created_date_time is None else parse_instant(self.created_date_time)


class DynamicPersonGroup(msgspec.Struct, frozen=True):
    """Hold one dynamic person group: its ID, and the service's JSON object as it came, on one line."""

    group_id: str
    body: bytes


def decode_training(body: bytes) -> Training:
    """Read the body of a training status.

    Raises:
        ValueError: where it is no JSON, not of this shape, or has a creation time that is none.
    """
    training = msgspec.json.decode(body, type=Training)
    if training.created_date_time is not None:
        parse_instant(training.created_date_time)
    for name in (
        "status",
        "last_action_date_time",
        "last_successful_training_date_time",
        "last_successful_training_id",
    ):
        if len(getattr(training, name) or "") > 100:
            raise ValueError(f"{name} is longer than 100 characters")
    if training.message is not None:
        training = msgspec.structs.replace(training, message=training.message[:MAX_MESSAGE_CHARS])
    return training


class _Identified(msgspec.Struct):
    group_id: str = msgspec.field(name="dynamicPersonGroupId")


_raw_page = msgspec.json.Decoder(list[msgspec.Raw])
_identified = msgspec.json.Decoder(_Identified)


def decode_dynamic_person_groups(body: bytes) -> list[DynamicPersonGroup]:
    """Read one page of dynamic person groups.

    Raises:
        ValueError: where it is no JSON list of objects that each have a ``dynamicPersonGroupId``.
    """
    body.decode()  # msgspec does not check the text of what it leaves as it came
    return [
        DynamicPersonGroup(_identified.decode(raw).group_id, msgspec.json.format(bytes(raw), indent=-1))
        for raw in _raw_page.decode(body)
    ]
