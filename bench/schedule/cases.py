"""The trainings that the schedules are tried on: what a group's past ones took, and what the next one takes."""

import math
from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from shared.training.schedule import MAX_PAST
from tests.support.known_durations import Known, LogNormal, LogUniform

SIGMAS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
PASTS = (0, 1, 5, 16)
MEDIAN_SECONDS = 90.0
"""The middle of the 1 to 2 minutes that are documented for 100,000 persons."""

ANYTHING = LogUniform(1, 1_800)
NOTHING_KNOWN = "log-uniform, nothing known"
FIVE_PAST = "sigma 0.1, 5 past"


class Trial(msgspec.Struct, frozen=True):
    """A training that takes ``seconds``, of a group whose past ones took ``past``."""

    past: Sequence[float]
    seconds: float


class Case(msgspec.Struct, frozen=True):
    """Trials, and the distribution that their durations are drawn from where it is one."""

    name: str
    trials: list[Trial]
    known: Known | None = None


def all_cases(count: int, seed: int) -> Iterator[Case]:
    """Yield each case, of about ``count`` trials."""
    random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    yield Case(NOTHING_KNOWN, [Trial([], seconds) for seconds in _evenly(ANYTHING, count)], ANYTHING)
    for sigma in SIGMAS:
        known = LogNormal(MEDIAN_SECONDS, sigma)
        for past in PASTS:
            yield Case(f"sigma {sigma:g}, {past} past", _like_the_past(known, past, count, random), known)
    known = LogNormal(MEDIAN_SECONDS, 0.1)
    surprising = _like_the_past(known, 5, count, random)
    for i, seconds in enumerate(_evenly(ANYTHING, count * 3 // 100)):
        surprising[i * 100 // 3] = Trial(surprising[i * 100 // 3].past, seconds)
    yield Case(f"{FIVE_PAST}, 3 % surprises", surprising)
    yield Case("sigma 0.1, each 10 % longer", list(_changing(count, random, growth=1.1, jump=1)))
    yield Case("sigma 0.1, the 9th on four times as long", list(_changing(count, random, growth=1, jump=4)))


def _like_the_past(known: Known, past: int, count: int, random: Random) -> list[Trial]:
    return [Trial(_draw(known, past, random), seconds) for seconds in _evenly(known, count)]


def _draw(known: Known, count: int, random: Random) -> list[float]:
    return [known.quantile(random.uniform(1e-6, 1 - 1e-6)) for _ in range(count)]


def _evenly(known: Known, count: int) -> list[float]:
    return [known.quantile((i + 0.5) / count) for i in range(count)]


def _changing(count: int, random: Random, *, growth: float, jump: float) -> Iterator[Trial]:
    """Yield each of a group's first 16 trainings with the ones before it, of as many groups as it takes."""
    for _ in range(count // MAX_PAST):
        past: list[float] = []
        for i in range(MAX_PAST):
            median = MEDIAN_SECONDS / 4 * growth**i * (jump if i >= MAX_PAST // 2 else 1)
            seconds = median * math.exp(random.gauss(0, 0.1))
            yield Trial(tuple(past), seconds)
            past.append(seconds)
