"""Follow trainings that begin at random, within one budget of calls: slots are given out first come, first served."""

import heapq
import math
from enum import Enum
from random import Random

import msgspec

from bench.schedule.cases import ANYTHING
from bench.schedule.pollers import BOUNDS, half_of_age
from shared.training.schedule import Bounds, next_delay, spread, weight

CALLS_A_SECOND = 10.0
HOURS = 2.0
WORTH_SECONDS = 1.0
PRICE_EVERY_SECONDS = 60.0
FEW_SECONDS = 3.0
"""A first poll that is due later than this need not be made at once."""


class Rule(Enum):
    """How polls are chosen."""

    PRICE = "this app, by the price"
    PRICE_FIRST_AT_ONCE = "by the price, but the first poll at once"
    FIRST_COME = "this app without the price, first come first served"
    HALF_OF_AGE = "half of the age, first come first served"


class Figures(msgspec.Struct, frozen=True):
    """What came of one simulation; all but the polls in seconds."""

    mean_late: float
    median_late: float
    p95_late: float
    polls: float  # a training, its first one included
    price: float  # mean over the second half of the arrivals


class _Kind(Enum):
    ARRIVES = 0
    IS_DUE = 1  # and takes a slot
    IS_POLLED = 2


class _Training(msgspec.Struct):
    began: float
    seconds: float
    weight: float = 0.0


def simulate(rule: Rule, per_second: float, seed: int) -> Figures:
    """Return what comes of so many trainings a second, log-uniform from 1 to 1,800 s, that begin within two hours."""
    return _Simulation(rule, Random(seed)).run(per_second)  # noqa: S311 - it has to be repeatable, not secret


class _Simulation:
    def __init__(self, rule: Rule, random: Random) -> None:
        self._rule = rule
        self._random = random
        self._events: list[tuple[float, int, _Kind, _Training]] = []
        self._pushed = 0
        self._watched: dict[int, _Training] = {}
        self._price = WORTH_SECONDS
        self._free_slot = 0.0
        self._late: list[float] = []
        self._polls = 0

    def run(self, per_second: float) -> Figures:
        """Return what comes of it."""
        now, end = 0.0, HOURS * 3_600
        while (now := now + self._random.expovariate(per_second)) < end:
            self._push(now, _Kind.ARRIVES, _Training(now, ANYTHING.quantile(self._random.random())))
        handlers = {
            _Kind.ARRIVES: self._arrive,
            _Kind.IS_DUE: self._take_slot,
            _Kind.IS_POLLED: self._poll,
        }
        prices: list[float] = []
        next_price = PRICE_EVERY_SECONDS
        while self._events:
            now, _, kind, training = heapq.heappop(self._events)
            while now >= next_price:
                self._publish_price()
                if end / 2 <= next_price < end:
                    prices.append(self._price)
                next_price += PRICE_EVERY_SECONDS
            handlers[kind](now, training)
        late = sorted(self._late)
        return Figures(
            mean_late=sum(late) / len(late),
            median_late=late[len(late) // 2],
            p95_late=late[len(late) * 95 // 100],
            polls=self._polls / len(late),
            price=sum(prices) / len(prices),
        )

    def _arrive(self, now: float, training: _Training) -> None:
        self._watched[id(training)] = training
        if self._rule is Rule.PRICE and self._price > WORTH_SECONDS:
            delay = self._delay(training, 0.0)
            if delay > FEW_SECONDS:
                self._push(now + delay, _Kind.IS_DUE, training)
                return
        self._take_slot(now, training)

    def _take_slot(self, now: float, training: _Training) -> None:
        slot = max(now, self._free_slot)
        self._free_slot = slot + 1 / CALLS_A_SECOND
        self._push(slot, _Kind.IS_POLLED, training)

    def _poll(self, now: float, training: _Training) -> None:
        self._polls += 1
        age = now - training.began
        if age >= training.seconds:
            self._late.append(age - training.seconds)
            del self._watched[id(training)]
            return
        self._push(now + self._delay(training, age), _Kind.IS_DUE, training)

    def _delay(self, training: _Training, age: float) -> float:
        jitter = self._random.random()
        if self._rule is Rule.HALF_OF_AGE:
            return half_of_age([], age, jitter)
        bounds = Bounds(BOUNDS.least, BOUNDS.most * math.sqrt(self._price / WORTH_SECONDS))
        training.weight = weight([], age, price=self._price, bounds=bounds)
        return spread(next_delay([], age, price=self._price, bounds=bounds), jitter)

    def _publish_price(self) -> None:
        if self._rule in {Rule.PRICE, Rule.PRICE_FIRST_AT_ONCE}:
            weights = sum(training.weight for training in self._watched.values())
            self._price = max(WORTH_SECONDS, (weights / CALLS_A_SECOND) ** 2)

    def _push(self, at: float, kind: _Kind, training: _Training) -> None:
        self._pushed += 1
        heapq.heappush(self._events, (at, self._pushed, kind, training))
