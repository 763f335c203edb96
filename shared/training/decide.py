"""Decide what one poll means: what the watch knows then, which requests it ends, and which need a training. No I/O."""

import math
from datetime import datetime, timedelta

import msgspec

from shared.face.errors import BadRequest, FaceError, GroupNotFound, NotTrained
from shared.face.models import Training, TrainingStatus
from shared.face.timestamps import Instant, instant_of, parse_instant
from shared.training import schedule
from shared.training.record import MAX_DURATION_SECONDS, Last, Outcome, RequestRecord, Watch
from shared.training.schedule import Bounds

CLAIM_SECONDS = 60.0
"""How long who has claimed a train call may take to make it, the difference of clocks included."""


class Policy(msgspec.Struct, frozen=True):
    """How long is waited for what."""

    bounds: Bounds  # of the time between two polls, while the budget is not short
    worth: float  # seconds of lateness that one poll is worth, while the budget is not short
    timeout: float  # seconds, after which a request is given up
    grace: float  # seconds that a missing or never trained group is given to appear

    def deadline(self, request: RequestRecord) -> datetime:
        """Return when a request is given up."""
        return request.inserted_at + timedelta(seconds=self.timeout)


class LaterSlot(msgspec.Struct, frozen=True):
    """No poll was made: the budget gave a slot that is too far away to wait for."""

    turn: datetime  # the slot's, by the budget's clock
    delay: float  # seconds until then
    calls: int = 1  # how many calls may be made then


class NotMade(msgspec.Struct, frozen=True):
    """No poll was made: nobody is open, or to handle the message has failed before."""

    delay: float  # seconds


class Accepted(msgspec.Struct, frozen=True):
    """The service took the app's own train call (202), or is at it already (409)."""


type PollResult = TrainingStatus | FaceError | LaterSlot | NotMade | Accepted


class End(msgspec.Struct, frozen=True):
    """How a request ends."""

    outcome: Outcome
    code: str | None = None  # of the error that the event tells
    message: str | None = None
    by_training: bool = False  # a training's end has ended it


def watch_after(watch: Watch, result: PollResult, now: datetime, *, of_train: bool = False) -> Watch:
    """Return what the watch knows after a poll; ``of_train``: after the app's own train call, which is not a poll."""
    if isinstance(result, (LaterSlot, NotMade)):
        return msgspec.structs.replace(watch, last=Last.NO_ANSWER)
    if isinstance(result, Accepted):
        return msgspec.structs.replace(watch, last=Last.RUNNING, called_at=now, troubles=0)
    if watch.first_poll_at is None:
        # A new chain knows nothing of the last one's training.
        watch = msgspec.structs.replace(
            watch, first_poll_at=now, training=None, seen_at=None, known_at=None, troubles=0
        )
    watch = msgspec.structs.replace(watch, polls=watch.polls + (not of_train))
    if isinstance(result, TrainingStatus):
        seen = msgspec.structs.replace(
            _learned(watch, result.training),
            training=result.training,
            seen_at=now,
            troubles=0,
        )
        return msgspec.structs.replace(seen, last=Last.ENDED if result.training.ended else Last.RUNNING)
    if isinstance(result, (GroupNotFound, NotTrained)):
        known_at = now if isinstance(result, NotTrained) else watch.known_at
        return msgspec.structs.replace(watch, last=Last.NONE, known_at=known_at, troubles=0)
    return msgspec.structs.replace(watch, last=Last.NO_ANSWER, troubles=watch.troubles + 1)


def end_of(
    request: RequestRecord, watch: Watch, result: PollResult, now: datetime, policy: Policy, *, of_train: bool = False
) -> End | None:
    """Return how a poll ends an open request, ``None`` where it goes on.

    Args:
        request: the request as it was before the poll.
        watch: the watch before the poll.
        result: what the poll brought.
        now: the time of the poll, UTC.
        policy: how long is waited for what.
        of_train: ``result`` is the response of the app's own train call.
    """
    if request.unreadable:
        return End(Outcome.ABANDONED, "unreadableRecord", "the request's record in the table cannot be read")
    if isinstance(result, (LaterSlot, NotMade)):
        return None
    end: End | None = None
    if isinstance(result, TrainingStatus) and _answers(result.training, request):
        end = _end_of_training(result.training)
    elif isinstance(result, (GroupNotFound, NotTrained)) and grace_left(request, watch, result, now, policy) <= 0:
        end = _end_of_missing(request, result)
    elif isinstance(result, BadRequest) and (request.train or not of_train):
        end = End(Outcome.REJECTED, result.code, result.message or str(result))
    if end is None and now >= policy.deadline(request):
        end = End(Outcome.TIMED_OUT, "timedOut", f"no end within {policy.timeout:g} seconds; {_last_word(result)}")
    return end


def must_note(request: RequestRecord, result: PollResult) -> bool:
    """Return whether this poll is the first that decides on a request with ``train``, which notes what stands."""
    return request.train and not request.noted and isinstance(result, (TrainingStatus, NotTrained))


def noted(request: RequestRecord, result: PollResult) -> RequestRecord:
    """Return a request with a note of the training that stands."""
    return msgspec.structs.replace(request, noted=True, noted_created=standing(result))


def standing(result: PollResult) -> str | None:
    """Return ``createdDateTime`` of the training that stands; ``None`` where there is none."""
    return result.training.created_date_time if isinstance(result, TrainingStatus) else None


def wants_training(request: RequestRecord, watch: Watch, result: PollResult) -> bool:
    """Return whether the app has to start a training for an open request now.

    Not while the noted one is under way, which the service would not take, and not once another one stands there.
    """
    if not (request.train and request.noted):
        return False
    if not isinstance(result, TrainingStatus):
        return _waits_for_call(request, watch, result)
    if result.training.created_date_time is None and watch.called_at is not None:
        # Trainings without a date cannot be told apart, so the app's own call counts.
        return result.training.ended and watch.called_at < request.inserted_at
    return result.training.ended and is_same_training(request.noted_created, result.training.created_date_time)


def is_claimed(watch: Watch, result: PollResult, now: datetime) -> bool:
    """Return whether another handler may be about to make the train call that is due."""
    claim = watch.claim
    return (
        claim is not None
        and is_same_training(claim.standing, standing(result))
        and abs(now - claim.at) < timedelta(seconds=CLAIM_SECONDS)  # one of the future is nobody's
    )


def is_same_training(one: str | None, other: str | None) -> bool:
    """Return whether two values of ``createdDateTime`` name the same training; ``None`` is none at all."""
    instants = _instant(one), _instant(other)
    return one == other if None in instants else instants[0] == instants[1]


def late_seconds(status: TrainingStatus) -> float | None:
    """Return how old a training's end was when it was seen, by the service's clock; ``None`` where it does not say."""
    training = status.training
    end = training.ended_at
    if end is None or status.date is None:
        return None
    return max(0.0, instant_of(status.date).seconds_since(end))


def _answers(training: Training, request: RequestRecord) -> bool:
    if not training.ended:
        return False
    if request.train and not request.noted:
        return False  # the training that stands is from before the request
    if request.trained_after is None and not request.train:
        return True
    # A training that does not say when it was created cannot be shown to be a new one.
    if training.created is None:
        return False
    if request.train and is_same_training(request.noted_created, training.created_date_time):
        return False
    return request.trained_after is None or training.created >= parse_instant(request.trained_after)


def _end_of_training(training: Training) -> End:
    if training.succeeded:
        return End(Outcome.SUCCEEDED, by_training=True)
    return End(Outcome.FAILED, "trainingFailed", training.message or "the service gave no reason", by_training=True)


def _end_of_missing(request: RequestRecord, error: FaceError) -> End:
    message = error.message or str(error)
    if request.other_reading:
        message += " (the body was read as it is, and is Base64 of another request: set WATCH_MESSAGE_ENCODING)"
    outcome = Outcome.NOT_TRAINED if isinstance(error, NotTrained) else Outcome.NOT_FOUND
    return End(outcome, error.code, message)


def grace_left(request: RequestRecord, watch: Watch, result: PollResult, now: datetime, policy: Policy) -> float:
    """Return the seconds that a missing group is still given, from the latest sign of it on."""
    if _waits_for_call(request, watch, result):
        return math.inf
    signs = [request.inserted_at, watch.called_at, watch.seen_at]
    if isinstance(result, GroupNotFound):
        signs.append(watch.known_at)
    since = max(each for each in signs if each is not None)
    return policy.grace - (now - since).total_seconds()


def _waits_for_call(request: RequestRecord, watch: Watch, result: PollResult) -> bool:
    """Return whether the app has yet to start the first training of a request's group."""
    called = watch.called_at is not None and watch.called_at >= request.inserted_at
    return request.train and isinstance(result, NotTrained) and not called


def _learned(watch: Watch, training: Training) -> Watch:
    """Return the watch with the duration of a training that has succeeded, each training's once."""
    created, ended = training.created, training.ended_at
    if not training.succeeded or created is None or ended is None:
        return watch
    if is_same_training(watch.learned, training.created_date_time):
        return watch
    seconds = ended.seconds_since(created)
    if not 0 < seconds <= MAX_DURATION_SECONDS:
        return watch
    durations = (*watch.past_durations, round(seconds, 3))[-schedule.MAX_PAST :]
    return msgspec.structs.replace(watch, past_durations=durations, learned=training.created_date_time)


def _last_word(result: PollResult) -> str:
    if isinstance(result, TrainingStatus):
        return "the last poll saw a training that does not answer the request"
    if isinstance(result, FaceError):
        return f"the last poll brought: {result}"
    return "a training has just been started"


def _instant(text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        return None
