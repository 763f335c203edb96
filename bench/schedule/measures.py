"""What each schedule costs in each case; all functions return figures and print nothing."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from bench.schedule.cases import FIVE_PAST, MEDIAN_SECONDS, NOTHING_KNOWN, Case, Trial
from bench.schedule.pollers import BOUNDS, OURS, POLLERS, Poller, at_price
from shared.training.durations import predict
from shared.training.schedule import MAX_PAST
from tests.support.known_durations import Believed, Known, LogNormal, LogUniform, best_polls, cost, polls_of

PRICES_UNDER_LOAD = (1.0, 4.0, 16.0, 64.0, 256.0)
PRICES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
SIGMAS = (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0)
MEDIANS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
MIN_SECONDS = 0.2
EXACT = "exact optimum"


class Figures(msgspec.Struct, frozen=True):
    """What a schedule costs a training: polls after the one at its start, and seconds from its end until it is seen."""

    polls: float
    mean_late: float
    p95_late: float


def compare(case: Case, seed: int) -> dict[str, Figures]:
    """Return the figures of each schedule, and of the exact optimum at a price of 1 where there is one."""
    figures = {name: simulate(poller, case.trials, seed) for name, poller in POLLERS.items()}
    if case.known is not None:
        figures[EXACT] = _exact(case.known, case.trials, price=1)
    return figures


def simulate(poller: Poller, trials: Sequence[Trial], seed: int) -> Figures:
    """Return what polling so costs; each training is polled once at its start, which is not counted."""
    random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    return _figures([_watch(poller, trial, random) for trial in trials])


def frontier(cases: Sequence[Case], seed: int) -> dict[str, dict[str, list[Figures]]]:
    """Return ours and the exact optimum at each of ``PRICES``, without a past and with five past durations."""
    return {
        case.name: {
            OURS: [simulate(at_price(price), case.trials, seed) for price in PRICES],
            EXACT: [_exact(case.known, case.trials, price) for price in PRICES],
        }
        for case in cases
        if case.name in {NOTHING_KNOWN, FIVE_PAST} and case.known is not None
    }


def under_load(case: Case, seed: int) -> dict[str, Figures]:
    """Return ours at each of ``PRICES_UNDER_LOAD``, with the upper bound stretched as the budget stretches it."""
    return {
        f"{price:g}": simulate(at_price(price, most=BOUNDS.most * math.sqrt(price)), case.trials, seed)
        for price in PRICES_UNDER_LOAD
    }


def costs_over_exact() -> dict[str, float]:
    """Return the cost ÷ that of the exact program where the distribution is known, at a price of 1 second."""
    known: dict[str, Known] = {
        f"log-normal, median {median:g} s, sigma {sigma:g}": LogNormal(median, sigma)
        for sigma in SIGMAS
        for median in MEDIANS
    }
    known |= {f"log-uniform, {low:g} to {high:g} s": LogUniform(low, high) for low, high in _RANGES}
    known |= {
        f"predicted, {count} past of {MEDIAN_SECONDS:g} s": Believed(predict([MEDIAN_SECONDS] * count))
        for count in (0, 1, 5, MAX_PAST)
    }
    return {name: _over_exact(each) for name, each in known.items()}


def shortest_late() -> float:
    """Return how late the shortest training that was recorded is seen at most, in seconds."""
    trials = [Trial(past, MIN_SECONDS) for past in ([], [MIN_SECONDS], [MIN_SECONDS] * 5) for _ in range(100)]
    random = Random(0)  # noqa: S311 - it has to be repeatable, not secret
    return max(late for _, late in (_watch(POLLERS[OURS], trial, random) for trial in trials))


def poll_ages(until: float) -> dict[str, list[float]]:
    """Return the ages at which a training that goes on is polled, for the picture."""
    pasts = {f"{count} past of {MEDIAN_SECONDS:g} s" if count else "nothing known": count for count in (0, 1, 5, 16)}
    ages = {name: list(_ages(POLLERS[OURS], [MEDIAN_SECONDS] * count, until)) for name, count in pasts.items()}
    return ages | {name: list(_ages(poller, [], until)) for name, poller in POLLERS.items() if name != OURS}


_RANGES = ((0.2, 10), (0.2, 100), (0.2, 1_800), (1, 1_800))


def _watch(poller: Poller, trial: Trial, random: Random) -> tuple[int, float]:
    age, polls = 0.0, 0
    while age < trial.seconds:
        age += poller(trial.past, age, random.random())
        polls += 1
    return polls, age - trial.seconds


def _ages(poller: Poller, past: Sequence[float], until: float) -> Iterator[float]:
    age = 0.0
    while age < until:
        yield age
        age += poller(past, age, 0.0)


def _exact(known: Known, trials: Sequence[Trial], price: float) -> Figures:
    polls = best_polls(known, price)
    seen = [bisect_left(polls, trial.seconds) for trial in trials]
    return _figures([(i + 1, polls[i] - trial.seconds) for i, trial in zip(seen, trials, strict=True)])


def _over_exact(known: Known) -> float:
    best = best_polls(known, price=1, points=20_000)
    return cost(known, polls_of(known, price=1)).calls(1) / cost(known, best).calls(1)


def _figures(watched: Sequence[tuple[int, float]]) -> Figures:
    late = sorted(seconds for _, seconds in watched)
    return Figures(
        polls=sum(polls for polls, _ in watched) / len(watched),
        mean_late=sum(late) / len(late),
        p95_late=late[len(late) * 95 // 100],
    )
