"""Decide what a look at a training means for its watch: look again, or end."""

from datetime import datetime, timedelta

import msgspec

from shared.face.errors import (
    BadRequest,
    BudgetExhausted,
    Conflict,
    FaceError,
    NotFound,
    Throttled,
    Unauthorized,
)
from shared.face.models import Training
from shared.face.timestamps import parse_instant
from shared.training.record import Outcome, Watch
from shared.training.schedule import Bounds, backoff, next_delay, spread

REFUSED_DELAY_SECONDS = 300.0
"""A missing role is granted by people, and takes minutes to hours to reach a token."""


class Policy(msgspec.Struct, frozen=True):
    """Say how long a watch waits for what; all in seconds."""

    bounds: Bounds
    timeout: float
    grace: float

    def deadline(self, watch: Watch) -> datetime:
        """Return when the watch gives up."""
        return watch.started_at + timedelta(seconds=self.timeout)


class Again(msgspec.Struct, frozen=True):
    """Look again after so many seconds; ``watch`` is the record with what this look brought."""

    watch: Watch
    delay: float


class End(msgspec.Struct, frozen=True):
    """End the watch; ``error`` is what the event says of it."""

    watch: Watch
    outcome: Outcome
    error: str | None = None


def decide(watch: Watch, look: Training | FaceError, now: datetime, policy: Policy, jitter: float) -> Again | End:
    """Return what follows from one look, by the design's table of the service's answers.

    Args:
        watch: the record before the look.
        look: the status that the service gave, or the error that stood in its place.
        now: the time of the look, UTC.
        jitter: a random number from 0 up to 1.
    """
    elapsed = max(0.0, (now - watch.started_at).total_seconds())
    if isinstance(look, BudgetExhausted):
        # Nothing was asked, so nothing can end.
        return Again(watch, max(look.wait or 0.0, _delay(policy, elapsed, jitter)))
    watch = _seen(watch, look)
    decision: Again | End
    if isinstance(look, Training):
        decision = _on_status(watch, look, elapsed, policy, jitter)
    else:
        decision = _on_error(watch, look, elapsed, now, policy, jitter)
    if isinstance(decision, End):
        return decision
    left = (policy.deadline(watch) - now).total_seconds()
    if left <= 0:
        return End(watch, Outcome.TIMED_OUT, f"no end within {policy.timeout:g} seconds; {_last_word(watch)}")
    return Again(watch, min(decision.delay, max(left, policy.bounds.least)))


def must_start_training(watch: Watch, look: Training | FaceError) -> bool:
    """Tell whether the app itself has to start the training now, for a watch that has noted what stood there before.

    Not while the noted one is under way, which the service would refuse, and not once another one stands there.
    """
    if not watch.train or watch.called_at is not None:
        return False
    if isinstance(look, Training):
        return look.ended and _is_noted(watch, look)
    return isinstance(look, NotFound) and look.never_trained


def _seen(watch: Watch, look: Training | FaceError) -> Watch:
    if isinstance(look, Training):
        return msgspec.structs.replace(watch, polls=watch.polls + 1, training=look, troubles=0, last_trouble=None)
    calm = isinstance(look, (NotFound, Conflict))
    return msgspec.structs.replace(
        watch, polls=watch.polls + 1, troubles=0 if calm else watch.troubles + 1, last_trouble=str(look)
    )


def _on_status(watch: Watch, training: Training, elapsed: float, policy: Policy, jitter: float) -> Again | End:
    if training.ended and not _is_stale(watch, training) and not (watch.train and _is_noted(watch, training)):
        if training.succeeded:
            return End(watch, Outcome.SUCCEEDED)
        return End(watch, Outcome.FAILED, training.message or "the service gave no reason")
    return Again(watch, _delay(policy, elapsed, jitter))


def _on_error(
    watch: Watch, error: FaceError, elapsed: float, now: datetime, policy: Policy, jitter: float
) -> Again | End:
    match error:
        case Conflict() if watch.train and watch.called_at is None:
            return Again(watch, max(error.wait or 0.0, _delay(policy, elapsed, jitter)))
        case BadRequest() | Conflict():
            return End(watch, Outcome.REJECTED, str(error))
        case NotFound():
            since = (now - (watch.called_at or watch.started_at)).total_seconds()
            if since >= policy.grace:
                return End(watch, Outcome.NOT_TRAINED if error.never_trained else Outcome.NOT_FOUND, str(error))
            delay = _delay(policy, elapsed, jitter)
            return Again(watch, min(delay, max(policy.grace - since, policy.bounds.least)))
        case Unauthorized():
            return Again(watch, REFUSED_DELAY_SECONDS)
        case Throttled(wait=float(wait)):
            # Those that are throttled together should not come back together.
            return Again(watch, max(wait * (1 + 0.1 * jitter), policy.bounds.least))
        case _:
            return Again(watch, backoff(policy.bounds, troubles=watch.troubles, asked=error.wait, jitter=jitter))


def _delay(policy: Policy, elapsed: float, jitter: float) -> float:
    return spread(next_delay([], elapsed, price=1.0, bounds=policy.bounds), jitter)


def _is_stale(watch: Watch, training: Training) -> bool:
    if watch.trained_after is None:
        return False
    # A training that does not say when it was created cannot be shown to be a new one.
    return training.created is None or training.created < parse_instant(watch.trained_after)


def _is_noted(watch: Watch, training: Training) -> bool:
    if watch.noted_created is None or training.created is None:
        return watch.noted_created == training.created_date_time
    return parse_instant(watch.noted_created) == training.created


def _last_word(watch: Watch) -> str:
    if watch.last_trouble is not None:
        return f"the last answer was: {watch.last_trouble}"
    return f"the last status was {watch.training.status!r}" if watch.training else "the service was never asked"
