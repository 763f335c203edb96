"""Run a scenario once for every sequence of choices that it can be given, short of those that lead to a known state."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass
class Schedule:
    """Hand out choices: those of ``taken`` first, then always the first option; remember how many there were."""

    taken: list[int] = field(default_factory=list)
    options: list[int] = field(default_factory=list)
    known: set[Hashable] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._repeated = len(self.taken)

    def choose(self, options: int) -> int:
        """Return a number below ``options``."""
        position = len(self.options)
        if position == len(self.taken):
            self.taken.append(0)
        self.options.append(options)
        return self.taken[position]

    def reach(self, state: Callable[[], Hashable]) -> None:
        """Say in which state the world is, from which everything follows by choices alone.

        Raises:
            KnownState: where an earlier schedule was there too, so that all that follows is explored already.
        """
        if len(self.options) < self._repeated:
            return  # still on the way to where this schedule differs
        found = state()
        if found in self.known:
            raise KnownState
        self.known.add(found)

    def next(self) -> "Schedule | None":
        """Return the schedule that comes after this one, which has been run; ``None`` after the last."""
        taken = list(self.taken)
        while taken and taken[-1] + 1 >= self.options[len(taken) - 1]:
            taken.pop()
        if not taken:
            return None
        taken[-1] += 1
        return Schedule(taken, known=self.known)


class KnownState(Exception):
    """Leave the schedule: what follows has been explored."""


class BrokenPromise(AssertionError):
    """A schedule broke a promise; the text says which, and the choices that lead there."""


def explore(scenario: Callable[[Schedule], None]) -> int:
    """Run a scenario under every schedule, depth first; return how many there were.

    Raises:
        BrokenPromise: at the first schedule whose run raised ``AssertionError``.
    """
    explored = 0
    schedule: Schedule | None = Schedule()
    while schedule is not None:
        explored += 1
        try:
            scenario(schedule)
        except KnownState:
            pass
        except AssertionError as error:
            raise BrokenPromise(f"schedule {explored}, choices {schedule.taken}: {error}") from error
        schedule = schedule.next()
    return explored
