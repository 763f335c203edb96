"""Choose when to look at a training next."""

from collections.abc import Sequence

import msgspec

GROWTH = 0.5
"""Wait for half the time that the watch has lasted, so that an end is seen late by a third at most."""


class Bounds(msgspec.Struct, frozen=True):
    """Bound the delay between two looks, in seconds."""

    least: float
    most: float

    def clamp(self, delay: float) -> float:
        """Return the nearest delay within the bounds."""
        return min(max(delay, self.least), self.most)


def next_delay(
    bounds: Bounds,
    *,
    elapsed: float,
    past_durations: Sequence[float] = (),  # noqa: ARG001 - what a schedule may know; geometric growth does not weigh it
    asked: float | None,
    jitter: float,
) -> float:
    """Return the seconds until the next look at a training that goes on.

    Args:
        bounds: the least and the most delay.
        elapsed: seconds since the watch began; delays grow with it geometrically.
        past_durations: seconds that earlier trainings of the group took, where they are known.
        asked: seconds that the service asked to wait, which also holds beyond the bounds.
        jitter: a random number from 0 up to 1, so that groups enqueued together are not looked at together.
    """
    delay = bounds.clamp(elapsed * GROWTH * (0.8 + 0.4 * jitter))
    return delay if asked is None else max(delay, asked)


def backoff(bounds: Bounds, *, troubles: int, asked: float | None, jitter: float) -> float:
    """Return the seconds until the next try after so many ``troubles`` (at least one) in a row.

    Doubles with each, half of it random, and stays within the bounds also where ``asked`` is more.
    """
    delay = bounds.least * 2.0 ** min(troubles, 32) * (0.5 + 0.5 * jitter)
    return bounds.clamp(max(delay, asked or 0.0))
