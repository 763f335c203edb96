"""What is remembered of a group: its watch, and its requests, each in one of three states."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from shared.face.models import MAX_WORD_CHARS, Training
from shared.training.messages import MAX_CORRELATION_ID_CHARS, TRACEPARENT, Group, Message, Request
from shared.training.schedule import MAX_PAST

MAX_DURATION_SECONDS = 1e9
"""A training that seems to have taken longer is of a clock that was wrong."""

MAX_PAID_CALLS = 2
"""A step makes at most two calls that it has to wait for: a poll, and one that starts a training."""

# What is read from the table is held to these; somebody else may have written it.
type Count = Annotated[int, msgspec.Meta(ge=0, le=2**30)]  # half of what a table takes, so that it can be counted on
type Moment = Annotated[datetime, msgspec.Meta(tz=True)]
type Word = Annotated[str, msgspec.Meta(max_length=MAX_WORD_CHARS)]
type Seconds = Annotated[float, msgspec.Meta(gt=0, le=MAX_DURATION_SECONDS)]
type Durations = Annotated[tuple[Seconds, ...], msgspec.Meta(max_length=MAX_PAST)]


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

    standing: Word | None  # ``createdDateTime`` of the training that stood then; ``None`` where there was none
    at: Moment  # UTC, by the storage's clock


class Watch(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A group's watch: one chain of polls, while the group has open requests. All times are UTC."""

    live: bool = False  # a follow-up of ``step`` is on the queue, or about to be
    step: Count = 0  # which follow-up brings the next poll
    step_token: Word = ""  # of the last write that changed the step, the claim or a request's end
    next_poll_at: Moment | None = None
    last: Last = Last.NO_ANSWER
    polls: Count = 0  # made since the record began
    troubles: Count = 0  # polls in a row that brought no status
    training: Training | None = None  # the last status that was read
    first_poll_at: Moment | None = None  # of the present chain
    seen_at: Moment | None = None  # when a training of the group was last seen
    known_at: Moment | None = None  # when the service last said that the group is there, but was never trained
    called_at: Moment | None = None  # when the service accepted the app's own train call
    claim: Claim | None = None
    slot: Moment | None = None  # when the calls that are already paid for may be made, by the storage's clock
    paid_calls: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAID_CALLS)] = 0  # how many calls that slot is worth
    past_durations: Durations = ()  # seconds of the newest trainings, creation to end, oldest first
    learned: Word | None = None  # ``createdDateTime`` of the training whose duration was added last
    etag: str | None = None  # of the row as it was read; ``None`` where there is no row


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A request on record: its demands and, once it has ended, its event. All times are UTC."""

    request_id: str
    inserted_at: Moment  # when the queue took its message
    trained_after: str | None = None
    train: bool = False
    correlation_id: Annotated[str, msgspec.Meta(max_length=MAX_CORRELATION_ID_CHARS)] | None = None
    traceparent: Annotated[str, msgspec.Meta(pattern=rf"\A{TRACEPARENT}\Z")] | None = None
    other_reading: bool = False  # the body is Base64 of another valid form as well
    polls_before: Count = 0  # the watch's polls when the request was put on record
    noted: bool = False  # ``train``: a poll has decided on it, and what stood then is noted
    noted_created: Word | None = None  # ``createdDateTime`` of the training that stood then; ``None``: there was none
    unreadable: bool = False  # its row cannot be read, so nothing is known but its ID
    outcome: Outcome | None = None  # ``None`` while it is open
    ended_at: Moment | None = None
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


def with_live_watch(record: GroupRecord) -> GroupRecord:
    """Return a record in which nobody is open without a live watch, as only somebody else's writing can leave it."""
    if record.watch.live or not record.open:
        return record
    return msgspec.structs.replace(record, watch=msgspec.structs.replace(record.watch, live=True, last=Last.NONE))


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
