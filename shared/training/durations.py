"""Predict how long a training takes, from how long the group's past ones took."""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

MIN_SECONDS = 0.2
"""The shortest training that has been recorded."""

MAX_SECONDS = 1_800.0
"""The longest training that is documented, of a million persons."""

TURN_SECONDS = MAX_SECONDS / math.e
"""Where the hazard of a log-uniform duration is lowest, 1 ÷ ``TURN_SECONDS``: later it rises without end."""

SURPRISE = 0.03
"""The probability that the past says nothing of a training: failures, and groups that have changed."""

PRIOR_SIGMA = 0.1
"""The standard deviation in log time that is assumed of a group's durations before several are known."""

PRIOR_DEGREES = 2
"""How many degrees of freedom that assumption is worth."""

MIN_PAST_SECONDS = 0.05
"""A past duration is taken to be at least this: a clock that was set back makes them 0 and less."""

MIN_AGE_SECONDS = 1e-6
"""Below this age nothing has happened yet, and a density would be divided by nothing."""

MAX_STEP = 0.25
"""A step in log time within which no duration's density changes much."""


class Duration(Protocol):
    """The probability distribution of how many seconds a training takes."""

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds`` (above 0), and the density there."""

    def step(self, seconds: float) -> float:
        """Return how far one may go in log time from ``seconds`` without missing a change of the density."""


class Broad(msgspec.Struct, frozen=True):
    """The duration of a training of which nothing is known: log-uniform, with a constant hazard in the end."""

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds``, and the density there."""
        if seconds < MIN_SECONDS:
            return 1.0, 0.0
        if seconds < TURN_SECONDS:
            return _LOG_UNIFORM * math.log(MAX_SECONDS / seconds), _LOG_UNIFORM / seconds
        longer = _LOG_UNIFORM * math.exp(1 - seconds / TURN_SECONDS)
        return longer, longer / TURN_SECONDS

    def step(self, seconds: float) -> float:  # noqa: ARG002 - the same everywhere
        """Return ``MAX_STEP``."""
        return MAX_STEP


class Predicted(msgspec.Struct, frozen=True):
    """The duration of a group's next training: like the past ones, or, by surprise, any.

    Past ones are taken as log-normal with unknown mean and variance. The logarithm of the next one then has Student's t
    distribution (Gelman et al., Bayesian Data Analysis, 3.2).
    """

    centre: float  # log of seconds
    scale: float  # in log time
    degrees: int  # of freedom
    height: float  # density of Student's t at 0

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds``, and the density there."""
        any_longer, any_density = _BROAD.at(seconds)
        seconds = max(seconds, MIN_AGE_SECONDS)
        x = (math.log(seconds) - self.centre) / self.scale
        density = self.height * (1 + x * x / self.degrees) ** (-(self.degrees + 1) / 2) / (self.scale * seconds)
        return (
            (1 - SURPRISE) * student_tail(x, self.degrees) + SURPRISE * any_longer,
            (1 - SURPRISE) * density + SURPRISE * any_density,
        )

    def step(self, seconds: float) -> float:
        """Return a quarter of the distance to the past ones, or of their scale where they are near."""
        return MAX_STEP * min(1.0, math.hypot(self.scale, math.log(seconds) - self.centre))


def predict(past: Sequence[float]) -> Duration:
    """Return what the seconds of a group's past trainings say of its next one."""
    if not past:
        return _BROAD
    logs = [math.log(max(seconds, MIN_PAST_SECONDS)) for seconds in past]
    centre = math.fsum(logs) / len(logs)
    degrees = PRIOR_DEGREES + len(logs) - 1
    squares = PRIOR_DEGREES * PRIOR_SIGMA**2 + math.fsum((each - centre) ** 2 for each in logs)
    return Predicted(
        centre=centre,
        scale=math.sqrt(squares / degrees * (1 + 1 / len(logs))),
        degrees=degrees,
        height=math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi),
    )


def student_tail(x: float, degrees: int) -> float:
    """Return the probability that Student's t is more than ``x``, with an error below 1e-15.

    It is a finite sum where the degrees of freedom are whole (Abramowitz and Stegun, 26.7.3 and 26.7.4).
    """
    sine = x / math.hypot(x, math.sqrt(degrees))
    cosine2 = degrees / (degrees + x * x)
    odd = degrees % 2
    term = math.sqrt(cosine2) if odd else 1.0
    total = 0.0
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= cosine2 * k / (k + 1)
    inside = (math.asin(sine) + sine * total) * 2 / math.pi if odd else sine * total
    return max(0.0, (1 - inside) / 2)


_LOG_UNIFORM = 1 / math.log(MAX_SECONDS / MIN_SECONDS)
_BROAD = Broad()
