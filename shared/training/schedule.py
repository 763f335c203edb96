"""Choose when to poll a training next.

A poll costs one call, and each second that an end goes unseen costs 1 ÷ price calls: the price is the seconds of
lateness that one poll is worth. Where h is the hazard of the training's end, calls and lateness together cost least
at √(h ÷ 2 price) polls a second (Keller 1974, "Optimum checking schedules for systems subject to random failure",
Management Science 21). That is so where polls are many; where they are few, it matters where each one is.

So the next poll is put where its own cost, taken exactly, and the cost of all polls after it, taken by Keller's rule,
are least together. That is one step of the dynamic program that finds the optimum, and comes within 2 % of it.
"""

import math
from collections.abc import Sequence

import msgspec

from shared.training.durations import TURN_SECONDS, Duration, predict

MAX_PAST = 16
"""How many of a group's past durations are kept, the newest."""

SPREAD = 0.1
"""By how much of it a delay is lengthened at most, so that groups enqueued together are not polled together."""

MAX_SPREAD_SECONDS = 6.0
"""More would only make polls later: groups that are further apart do not meet at a slot any more."""

OVERBOOKING = 1.25
"""How many polls are planned for one slot: a poll that waits is a bit later, but a slot that no poll takes is lost."""

NEGLIGIBLE = 1e-9
"""Below this probability of a longer training rounding hides the density, and the hazard is that of a broad one."""

_HALVINGS = 16


class Bounds(msgspec.Struct, frozen=True):
    """Bounds of the delay between two polls, in seconds; ``least`` is above 0."""

    least: float
    most: float

    def clamp(self, delay: float) -> float:
        """Return the nearest delay within the bounds."""
        return min(max(delay, self.least), self.most)


def next_delay(past: Sequence[float], age: float, *, price: float, bounds: Bounds) -> float:
    """Return the seconds until the next poll of a training that goes on, to be given to ``spread``.

    Args:
        past: seconds that earlier trainings of the group took.
        age: seconds since the training was created.
        price: seconds of lateness that one poll is worth.
        bounds: the least and the most delay.
    """
    delay = best_delay(predict(past), age, price, bounds)
    # Whole seconds are half a second more on average, and spreading adds half of its most.
    return bounds.clamp(min(delay - 0.5, delay / (1 + SPREAD / 2)))


def best_delay(duration: Duration, age: float, price: float, bounds: Bounds) -> float:
    """Return the delay, within the bounds, after which a poll costs least together with all that follow it."""
    age = max(age, 0.0)
    left = duration.at(age)[0] if age else 1.0
    if left < NEGLIGIBLE:
        return bounds.clamp(math.sqrt(2 * price * TURN_SECONDS))

    def slope(poll: float) -> float:
        """Return by how much a second more changes the cost: all ends until the poll wait longer, the rest costs less.

        The rest is one more poll of a training that has not ended yet, and Keller's cost within the bounds.
        """
        longer, density = duration.at(poll)
        gap = bounds.clamp(math.sqrt(2 * price * longer / density)) if density else bounds.most
        return left - longer - density * price - (price * longer / gap + density * gap / 2)

    polls = _walk(duration, age + bounds.least, age + bounds.most)
    low, high = _around_lowest(polls, [slope(poll) for poll in polls])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return bounds.clamp((low + high) / 2 - age)


def _walk(duration: Duration, start: float, end: float) -> list[float]:
    polls = [start]
    while polls[-1] < end:
        polls.append(min(polls[-1] * math.exp(duration.step(polls[-1])), end))
    return polls


def _around_lowest(polls: list[float], slopes: list[float]) -> tuple[float, float]:
    """Return the polls before and after the one that costs least; the cost is the integral of the slopes."""
    cost = lowest = 0.0
    best = 0
    for i in range(1, len(polls)):
        cost += (slopes[i - 1] + slopes[i]) / 2 * (polls[i] - polls[i - 1])
        if cost < lowest:
            lowest, best = cost, i
    return polls[max(best - 1, 0)], polls[min(best + 1, len(polls) - 1)]


def weight(past: Sequence[float], age: float, *, price: float, bounds: Bounds) -> float:
    """Return what a watch adds to the sum that makes the price; the arguments are those of ``next_delay``.

    By Keller's rule a delay is √(2 price ÷ h), so √price ÷ delay is √(h ÷ 2) whatever the price. At the price
    (Σ weight ÷ pace)², all watches together make ``OVERBOOKING`` times as many polls a second as the pace.
    """
    return math.sqrt(price) / (next_delay(past, age, price=price, bounds=bounds) * OVERBOOKING)


def expected_end(past: Sequence[float], age: float) -> float:
    """Return the seconds from now until a training of that age has ended with a probability of one half."""
    duration = predict(past)
    age = max(age, 0.0)
    left = duration.at(age)[0] if age else 1.0
    if left < NEGLIGIBLE:
        return TURN_SECONDS * math.log(2)
    low = high = age
    while duration.at(high := max(2 * high, 1.0))[0] > left / 2:
        low = high
    for _ in range(2 * _HALVINGS):
        middle = (low + high) / 2
        if duration.at(middle)[0] > left / 2:
            low = middle
        else:
            high = middle
    return (low + high) / 2 - age


def spread(delay: float, jitter: float) -> int:
    """Return ``delay`` in whole seconds, as the queue takes them: never less, and up to 10 % or 6 seconds more.

    Args:
        delay: seconds.
        jitter: a random number from 0 up to 1.
    """
    return max(math.ceil(delay), int(delay + min(SPREAD * delay, MAX_SPREAD_SECONDS) * jitter))


def backoff(bounds: Bounds, *, troubles: int, asked: float | None, jitter: float) -> float:
    """Return the seconds until the next try after so many ``troubles`` (at least one) in a row.

    Doubles with each, half of it random, and stays within the bounds also where ``asked`` is more.
    """
    delay = bounds.least * 2.0 ** min(troubles, 32) * (0.5 + 0.5 * jitter)
    return bounds.clamp(max(delay, asked or 0.0))
