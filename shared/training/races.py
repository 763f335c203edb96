"""Begin again after a lost race."""

from collections.abc import Callable

from shared.training.store import LostRace

MAX_RACES = 12
"""Each lost race means that somebody else got on. The pauses between them add up to two minutes at most."""

FIRST_PAUSE_SECONDS = 0.05
"""The longest pause after the first lost race; each further one may be twice as long."""


def repeat_lost_races[T](work: Callable[[], T], jitter: Callable[[], float], sleep: Callable[[float], None]) -> T:
    """Do some work again, from its reading on, each time that it loses a race, after a random pause that doubles.

    Raises:
        LostRace: at the twelfth.
    """
    for race in range(MAX_RACES - 1):
        try:
            return work()
        except LostRace:
            sleep(FIRST_PAUSE_SECONDS * 2**race * jitter())
    return work()
