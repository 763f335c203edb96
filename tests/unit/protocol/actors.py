"""Let several run at once in one thread: each stops before every outside call, and the schedule says who goes on."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import greenlet

from tests.unit.protocol.explorer import Schedule

_ETAG = re.compile(r"T\d\d%3A\d\d%3A\d\d\.\d{7}Z")


class Actor(greenlet.greenlet):
    """One of those that run at once: a handler of a message, the timer, or somebody who cancels."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(self._begin)
        self.name = name
        self._work = work
        self.waits = False  # for another actor of its process
        self.token = ""  # of its last write
        self._seen: Hashable = name  # all that it has learned of the world, and so all that its next call depends on
        self._etags: dict[str, int] = {}  # numbered as it has learned them
        self._races = 0

    def _begin(self) -> None:
        self.learn("that it has begun")
        self._work()

    def learn(self, fact: object) -> None:
        """Note what the actor knows now as well."""
        text = fact if isinstance(fact, str) else repr(fact)
        self._seen = hash((self._seen, _ETAG.sub(self._number_of, text)))

    def forget(self) -> None:
        """Note that the actor begins again, and knows no more than how often it has done so."""
        self._races += 1
        self._seen = self._races
        self._etags.clear()

    def state(self, row_of: Mapping[str, Hashable]) -> Hashable:
        """Return all that its future depends on: of an ETag, only which row it is still that of.

        ``row_of`` names the row that has an ETag now.
        """
        return self.name, self.waits, self._seen, tuple(row_of.get(etag) for etag in self._etags)

    def _number_of(self, etag: re.Match[str]) -> str:
        return f"#{self._etags.setdefault(etag.group(), len(self._etags))}"


def etag_in(text: str) -> str:
    """Return the part of an ETag that tells it from others."""
    match = _ETAG.search(text)
    return match.group() if match else text


class Condition:
    """Stands in for ``threading.Condition`` where actors take the place of threads."""

    def __init__(self) -> None:
        self._waiting: list[Actor] = []

    def __enter__(self) -> None:
        """Enter at once: actors stop at outside calls alone, and nobody makes one while it holds a condition."""

    def __exit__(self, *_: object) -> None:
        """Leave."""

    def wait(self) -> None:
        """Wait until another actor notifies all."""
        actor = current_actor()
        assert actor is not None, "nobody could ever notify"
        actor.waits = True
        self._waiting.append(actor)
        _stop(actor)

    def notify_all(self) -> None:
        """Let all go on that wait."""
        for actor in self._waiting:
            actor.waits = False
        self._waiting.clear()


def current_actor() -> Actor | None:
    """Return who runs, ``None`` where nobody else does at once."""
    running = greenlet.getcurrent()
    return running if isinstance(running, Actor) else None


def run_at_once(
    actors: Sequence[Actor],
    schedule: Schedule,
    state: Callable[[Sequence[Actor]], Hashable],
    preemptions: int | None = None,
) -> None:
    """Run actors until all are done; the schedule chooses whose outside call is next, each time.

    ``preemptions`` is how often one may be stopped for another that could go on itself; ``None`` is without limit.
    """
    try:
        _run(list(actors), schedule, state, preemptions)
    finally:
        for actor in actors:
            # One that is left where it stopped holds its frames, and with them its whole world, for good.
            while not actor.dead:
                actor.throw()


def _run(
    running: list[Actor],
    schedule: Schedule,
    state: Callable[[Sequence[Actor]], Hashable],
    preemptions: int | None,
) -> None:
    last: Actor | None = None
    while running:
        known = None if preemptions is None else (preemptions, last and last.name)
        schedule.reach(partial(_state, state, running, known))
        ready = [actor for actor in running if not actor.waits]
        assert ready, "all wait for each other"
        if preemptions is not None and last in ready:
            ready = [last, *(actor for actor in ready if actor is not last)] if preemptions else [last]
        chosen = ready[schedule.choose(len(ready)) if len(ready) > 1 else 0]
        if preemptions is not None and last in ready and chosen is not last:
            preemptions -= 1
        last = chosen
        chosen.switch()
        running = [actor for actor in running if not actor.dead]


def _state(state: Callable[[Sequence[Actor]], Hashable], running: Sequence[Actor], known: Hashable) -> Hashable:
    return state(running), known


def let_others_go_first() -> None:
    """Stop the running actor before an outside call, until the schedule lets it make the call."""
    actor = current_actor()
    if actor is not None:
        _stop(actor)


def _stop(actor: Actor) -> None:
    assert actor.parent is not None
    actor.parent.switch()
