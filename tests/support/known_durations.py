"""Durations that are known exactly, and the best schedule for them, by the whole dynamic program."""

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import NormalDist
from typing import Protocol

import msgspec

from shared.training.durations import MAX_STEP, Duration
from shared.training.schedule import Bounds, best_delay

RARE = 1e-7
"""The probability of the durations that are left out at both ends."""

_NORMAL = NormalDist()


class Known(Duration, Protocol):
    """A duration of which all is known."""

    def mean_up_to(self, seconds: float) -> float:
        """Return the mean of a duration that counts as 0 where it is longer than ``seconds``."""

    def quantile(self, probability: float) -> float:
        """Return the seconds that a training takes at most with that probability."""


class LogNormal(msgspec.Struct, frozen=True):
    """A log-normal duration."""

    median: float
    sigma: float

    def mean_up_to(self, seconds: float) -> float:
        """Return the mean of a duration that counts as 0 where it is longer than ``seconds``."""
        x = math.log(seconds / self.median) / self.sigma
        return self.median * math.exp(self.sigma**2 / 2) * math.erfc((self.sigma - x) / math.sqrt(2)) / 2

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds``, and the density there."""
        x = math.log(seconds / self.median) / self.sigma
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi) / (seconds * self.sigma)
        return math.erfc(x / math.sqrt(2)) / 2, density

    def step(self, seconds: float) -> float:
        """Return a quarter of the distance to the median, or of sigma where it is near."""
        return MAX_STEP * min(1.0, math.hypot(self.sigma, math.log(seconds / self.median)))

    def quantile(self, probability: float) -> float:
        """Return the seconds that a training takes at most with that probability."""
        return self.median * math.exp(self.sigma * _NORMAL.inv_cdf(probability))


class LogUniform(msgspec.Struct, frozen=True):
    """A log-uniform duration."""

    shortest: float
    longest: float

    def mean_up_to(self, seconds: float) -> float:
        """Return the mean of a duration that counts as 0 where it is longer than ``seconds``."""
        return (min(seconds, self.longest) - self.shortest) / math.log(self.longest / self.shortest)

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds``, and the density there."""
        if not self.shortest <= seconds < self.longest:
            return float(seconds < self.shortest), 0.0
        height = 1 / math.log(self.longest / self.shortest)
        return height * math.log(self.longest / seconds), height / seconds

    def step(self, seconds: float) -> float:  # noqa: ARG002 - the same everywhere
        """Return ``MAX_STEP``."""
        return MAX_STEP

    def quantile(self, probability: float) -> float:
        """Return the seconds that a training takes at most with that probability."""
        return math.exp(math.log(self.shortest) + math.log(self.longest / self.shortest) * probability)


class Believed(msgspec.Struct, frozen=True):
    """What the app predicts, taken as the truth."""

    predicted: Duration

    def mean_up_to(self, seconds: float) -> float:
        """Return the mean of a duration that counts as 0 where it is longer than ``seconds``."""
        ages = [seconds * 1e-6 ** (1 - i / 10_000) for i in range(10_001)]
        left = [self.at(age)[0] for age in ages]
        ended = zip(pairwise(ages), pairwise(left), strict=True)
        return math.fsum((early + late) / 2 * (before - after) for (early, late), (before, after) in ended)

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the probability of more than ``seconds``, and the density there."""
        return self.predicted.at(seconds)

    def step(self, seconds: float) -> float:
        """Return how far one may go in log time without missing a change of the density."""
        return self.predicted.step(seconds)

    def quantile(self, probability: float) -> float:
        """Return the seconds that a training takes at most with that probability."""
        low, high = 0.01, 1e6
        while high / low > 1.001:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if 1 - self.at(middle)[0] < probability else (low, middle)
        return high


class Cost(msgspec.Struct, frozen=True):
    """What a schedule costs on average."""

    polls: float
    late_seconds: float

    def calls(self, price: float) -> float:
        """Return both in calls, at so many seconds a call."""
        return self.polls + self.late_seconds / price


def cost(known: Known, polls: list[float]) -> Cost:
    """Return what polls at these ages cost; what is longer than the last of them costs its polls alone."""
    left = [1.0, *(known.at(poll)[0] for poll in polls)]
    seen = math.fsum(poll * (before - after) for poll, (before, after) in zip(polls, pairwise(left), strict=True))
    return Cost(math.fsum(left[:-1]), seen - known.mean_up_to(polls[-1]))


def polls_of(known: Known, price: float) -> list[float]:
    """Return the ages at which the app would poll if it knew the duration and had no bounds."""
    bounds = Bounds(least=known.quantile(RARE) / 100, most=known.quantile(1 - RARE))
    polls = [best_delay(known, 0.0, price, bounds)]
    while polls[-1] < known.quantile(1 - RARE):
        polls.append(polls[-1] + best_delay(known, polls[-1], price, bounds))
    return polls


def best_polls(known: Known, price: float, points: int = 4_000) -> list[float]:
    """Return the ages at which polls cost least, of all that can be chosen among ``points``, evenly laid in log time.

    What remains to be paid from point i on is S(i) + the least, over j > i, of the lateness between i and j ÷ price +
    what remains from j on; S is the probability of a longer training. For each j that is a line in S(i), so the lower
    envelope of these lines finds each minimum in a few steps.
    """
    first, last = known.quantile(RARE), known.quantile(1 - RARE)
    ages = [first * (last / first) ** (i / (points - 1)) for i in range(points)]
    left = [known.at(age)[0] for age in ages]
    # Of the lateness between i and j, x(j) (S(i) - S(j)) - (E(j) - E(i)), E drops out of the choice: all ends are seen.
    following: list[int | None] = [None] * points
    envelope = _Envelope()
    envelope.add(-ages[-1] * left[-1], ages[-1], points - 1)
    for i in reversed(range(points - 1)):
        value, following[i] = envelope.lowest(left[i])
        envelope.add(price * left[i] + value - ages[i] * left[i], ages[i], i)
    return [ages[i] for i in _follow(envelope.lowest(1.0)[1], following)]


def _follow(first: int, following: list[int | None]) -> Iterator[int]:
    point: int | None = first
    while point is not None:
        yield point
        point = following[point]


class _Envelope:
    """The lowest of many lines, which are added with ever smaller slopes."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, float, int]] = []

    def add(self, height: float, slope: float, name: int) -> None:
        while len(self._lines) > 1 and self._is_hidden(self._lines[-2], self._lines[-1], (height, slope, name)):
            self._lines.pop()
        self._lines.append((height, slope, name))

    def lowest(self, place: float) -> tuple[float, int]:
        low, high = 0, len(self._lines) - 1
        while low < high:
            middle = (low + high) // 2
            if self._value(middle, place) <= self._value(middle + 1, place):
                high = middle
            else:
                low = middle + 1
        return self._value(low, place), self._lines[low][2]

    def _value(self, line: int, place: float) -> float:
        height, slope, _ = self._lines[line]
        return height + slope * place

    @staticmethod
    def _is_hidden(
        before: tuple[float, float, int], line: tuple[float, float, int], after: tuple[float, float, int]
    ) -> bool:
        left = (line[0] - before[0]) * (line[1] - after[1])
        right = (after[0] - line[0]) * (before[1] - line[1])
        return right <= left
