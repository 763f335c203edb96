"""Choose when to poll a training next."""

import math
from collections.abc import Sequence

import msgspec

MAX_PAST = 16
"""How many past durations of a group are kept."""


class Bounds(msgspec.Struct, frozen=True):
    """The bounds of the delay between two polls, in seconds."""

    least: float
    most: float

    def clamp(self, delay: float) -> float:
        """Return the nearest delay within the bounds."""
        return min(max(delay, self.least), self.most)


def next_delay(past: Sequence[float], age: float, *, price: float, bounds: Bounds) -> float:  # noqa: ARG001
    """Return the seconds until the next poll of a training of an age in seconds."""
    return bounds.clamp(age * 0.5)


def weight(past: Sequence[float], age: float) -> float:  # noqa: ARG001
    """Return the square root of half the hazard of the training's end."""
    return math.sqrt(0.5 / max(age, 1.0))


def backoff(bounds: Bounds, *, troubles: int, asked: float | None, jitter: float) -> float:
    """Return the seconds until the next try after so many ``troubles`` (at least one) in a row.

    Doubles with each, half of it random, and stays within the bounds also where ``asked`` is more.
    """
    delay = bounds.least * 2.0 ** min(troubles, 32) * (0.5 + 0.5 * jitter)
    return bounds.clamp(max(delay, asked or 0.0))


def spread(delay: float, jitter: float) -> int:
    """Return a delay in whole seconds, up to a tenth longer, so that groups enqueued together part."""
    return math.ceil(delay * (1 + 0.1 * jitter))
