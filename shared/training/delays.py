"""Decide when to poll next, and what a watch adds to the price of a poll. No I/O."""

import math
from collections.abc import Sequence
from datetime import datetime

from shared.face.errors import FaceError, GroupNotFound, NotTrained, Throttled, Unauthorized
from shared.face.models import TrainingStatus
from shared.face.timestamps import instant_of
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training import schedule
from shared.training.decide import Accepted, NotMade, Policy, PollResult, grace_left
from shared.training.record import RequestRecord, Watch
from shared.training.schedule import Bounds

REFUSED_DELAY_SECONDS = 300.0
"""A missing role is granted by people, and takes minutes to hours to reach a token."""


def delay_after(
    requests: Sequence[RequestRecord],
    watch: Watch,
    result: PollResult,
    now: datetime,
    policy: Policy,
    *,
    price: float,
    jitter: float,
) -> int:
    """Return the whole seconds until the next poll, for the requests that go on.

    Args:
        requests: those that are open after the poll; at least one.
        watch: the watch after the poll.
        result: what the poll brought.
        now: the time of the poll, UTC.
        policy: how long is waited for what.
        price: seconds of lateness that one poll is worth now.
        jitter: a random number from 0 up to 1.
    """
    earliest = min(policy.deadline(each) for each in requests)
    left = max((earliest - now).total_seconds(), policy.bounds.least)
    return whole(min(_delay(requests, watch, result, now, policy, price, jitter), left))


def first_delay(watch: Watch, policy: Policy, *, price: float, jitter: float) -> int:
    """Return the whole seconds until the first poll of a new watch, whose training may just have begun."""
    delay = schedule.next_delay(watch.past_durations, 0.0, price=price, bounds=_stretched(policy, price))
    return schedule.spread(delay, jitter)


def weight_after(watch: Watch, result: PollResult, now: datetime, policy: Policy, *, price: float) -> float:
    """Return what the watch adds to the sum that makes the price of a poll."""
    bounds = _stretched(policy, price)
    return schedule.weight(_past(watch, result), age(watch, result, now), price=price, bounds=bounds)


def age(watch: Watch, result: PollResult, now: datetime) -> float:
    """Return the age of the training that stands, in seconds by the service's clock where the service tells it.

    Where it does not, or where the next training has yet to begin, it is the time since the first poll.
    """
    if isinstance(result, Accepted):
        return 0.0
    if isinstance(result, TrainingStatus) and not result.training.ended and result.date is not None:
        created = result.training.created
        if created is not None:
            return max(0.0, instant_of(result.date).seconds_since(created))
    return max(0.0, (now - (watch.first_poll_at or now)).total_seconds())


def whole(seconds: float) -> int:
    """Return a delay as the queue takes it: whole seconds, at least one."""
    return min(max(math.ceil(seconds), 1), MAX_VISIBILITY_SECONDS)


def _delay(
    requests: Sequence[RequestRecord],
    watch: Watch,
    result: PollResult,
    now: datetime,
    policy: Policy,
    price: float,
    jitter: float,
) -> float:
    bounds = policy.bounds
    match result:
        case NotMade(delay):
            return delay
        case Unauthorized():
            return REFUSED_DELAY_SECONDS
        case Throttled(wait=float(wait)):
            return max(schedule.spread(wait, jitter), bounds.least)
        case FaceError() if not isinstance(result, (GroupNotFound, NotTrained)):
            return schedule.backoff(bounds, troubles=watch.troubles, asked=result.wait, jitter=jitter)
    past, seconds = _past(watch, result), age(watch, result, now)
    delay = schedule.next_delay(past, seconds, price=price, bounds=_stretched(policy, price))
    if isinstance(result, (GroupNotFound, NotTrained)):
        grace = min(grace_left(each, watch, result, now, policy) for each in requests)
        delay = min(delay, max(grace, bounds.least))
    return schedule.spread(delay, jitter)


def _stretched(policy: Policy, price: float) -> Bounds:
    """Return the bounds of delays: under load all schedules stretch by the same rule, and so does their upper bound."""
    return Bounds(policy.bounds.least, policy.bounds.most * max(1.0, math.sqrt(price / policy.worth)))


def _past(watch: Watch, result: PollResult) -> Sequence[float]:
    """Return what is known of the duration of the training under way; of one that has yet to begin, nothing."""
    if isinstance(result, TrainingStatus):
        under_way = not result.training.ended
    else:
        under_way = isinstance(result, (Accepted, NotMade))
    return watch.past_durations if under_way else ()
