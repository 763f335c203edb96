"""What is remembered of a group: its watch, and its requests, each in one of three states."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.face.models import Training
from shared.training.messages import Group, Message, Request


class Outcome(StrEnum):
    """The ways in which a request can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timedOut"
    NOT_FOUND = "notFound"
    NOT_TRAINED = "notTrained"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class Last(StrEnum):
    """What the last poll of a watch brought."""

    RUNNING = "running"  # a training under way
    NO_ANSWER = "noAnswer"  # no status: a trouble, a later slot, or no poll at all
    ENDED = "ended"  # a training that has ended
    NONE = "none"  # no training, or no group


class Claim(msgspec.Struct, frozen=True, rename="camel"):
    """The announcement of a train call: who has written it may call, once."""

    standing: str | None  # ``createdDateTime`` of the training that stood then; ``None`` where there was none
    at: datetime  # UTC, by the storage's clock


class Watch(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A group's watch: one chain of polls, while the group has open requests. All times are UTC."""

    live: bool = False  # a follow-up of ``step`` is on the queue, or about to be
    step: int = 0  # which follow-up brings the next poll
    step_token: str = ""  # of the last write that changed the step, the claim or a request's end
    next_poll_at: datetime | None = None
    last: Last = Last.NO_ANSWER
    polls: int = 0  # made since the record began
    troubles: int = 0  # polls in a row that brought no status
    training: Training | None = None  # the last status that was read
    first_poll_at: datetime | None = None  # of the present chain
    seen_at: datetime | None = None  # when a training of the group was last seen
    called_at: datetime | None = None  # when the service accepted the app's own train call
    claim: Claim | None = None
    slot: datetime | None = None  # when the calls that are already paid for may be made, by the storage's clock
    paid_calls: int = 0  # how many calls that slot is worth
    past_durations: tuple[float, ...] = ()  # seconds of the newest trainings, creation to end, oldest first
    learned: str | None = None  # ``createdDateTime`` of the training whose duration was added last
    etag: str | None = None  # of the row as it was read; ``None`` where there is no row


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A request on record: its demands and, once it has ended, its event. All times are UTC."""

    request_id: str
    inserted_at: datetime  # when the queue took its message
    trained_after: str | None = None
    train: bool = False
    correlation_id: str | None = None
    traceparent: str | None = None
    other_reading: bool = False  # the body is Base64 of another valid form as well
    polls_before: int = 0  # the watch's polls when the request was put on record
    noted: bool = False  # ``train``: a poll has decided on it, and what stood then is noted
    noted_created: str | None = None  # ``createdDateTime`` of the training that stood then; ``None``: there was none
    unreadable: bool = False  # its row cannot be read, so nothing is known but its ID
    outcome: Outcome | None = None  # ``None`` while it is open
    ended_at: datetime | None = None
    event: bytes | None = None  # ASCII JSON
    queued: bool = False  # the results queue has taken the event, and the topic has not
    etag: str | None = None  # of the row as it was read; ``None`` where it is not on record yet


class GroupRecord(msgspec.Struct, frozen=True):
    """All that is open or owed of one group, as it stood at the watch's ETag."""

    group: Group
    watch: Watch
    open: tuple[RequestRecord, ...] = ()
    owed: tuple[RequestRecord, ...] = ()
    stuck: tuple[str, ...] = ()  # IDs of owed requests that cannot be read, so that their events are not sent


def traceparent_of(requests: Iterable[RequestRecord]) -> str | None:
    """Return the trace that the next poll for some requests belongs to: that of the first which has one."""
    return next((each.traceparent for each in requests if each.traceparent is not None), None)


def new_record(message: Message, request: Request) -> RequestRecord:
    """Return the record of a request that has just been received."""
    return RequestRecord(
        request_id=message.request_id,
        inserted_at=message.inserted_at,
        trained_after=request.trained_after,
        train=request.train,
        correlation_id=request.correlation_id,
        traceparent=request.traceparent,
        other_reading=request.other_reading,
    )
