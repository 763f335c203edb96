"""The schedules that are compared: each returns the seconds until the next poll."""

import math
from collections.abc import Callable, Sequence

from shared.training.schedule import Bounds, next_delay, spread

type Poller = Callable[[Sequence[float], float, float], float]
"""Of past durations and an age, both in seconds, and a random number from 0 up to 1."""

BOUNDS = Bounds(least=1, most=60)
"""The app's defaults."""


def at_price(price: float, most: float = BOUNDS.most) -> Poller:
    """Return the app's schedule at a price, with delays of ``most`` seconds."""
    bounds = Bounds(BOUNDS.least, most)

    def poller(past: Sequence[float], age: float, jitter: float) -> float:
        return spread(next_delay(past, age, price=price, bounds=bounds), jitter)

    return poller


def every(seconds: float) -> Poller:
    """Return a poller with a fixed interval, as the official SDK has one (30 s unless told otherwise)."""
    return lambda _past, _age, _jitter: seconds


def doubling(_past: Sequence[float], age: float, _jitter: float) -> float:
    """Wait 1, 2, 4 ... seconds, at most 60."""
    return BOUNDS.clamp(age + 1)


def half_of_age(_past: Sequence[float], age: float, jitter: float) -> float:
    """Wait for about half of the time gone by, within 1 to 60 seconds: the first version of this app."""
    return math.ceil(BOUNDS.clamp(age * 0.5 * (0.8 + 0.4 * jitter)))


OURS = "this app"
FIRST_VERSION = "half of the age"
POLLERS: dict[str, Poller] = {
    OURS: at_price(1),
    FIRST_VERSION: half_of_age,
    "doubling": doubling,
    "every 30 s (SDK)": every(30),
    "every 10 s": every(10),
}
