"""Run the watches of many groups while the service fails, the host is killed, and the queue is purged."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

import msgspec

from bench.chaos.disturb import cancel_some, plant_unreadable
from bench.chaos.trainings import begin_later_trainings, direct_client, enqueue, make_groups, read_newest
from bench.chaos.verdict import Event, Verdict, judge, message_of
from local.face_emulator.faults import BrokenJson, ErrorResponse, Hang, Throttled
from local.stack import Stack, start_stack

KILL_EVERY_SECONDS = 10.0
RECEIVE_EVERY_SECONDS = 0.2
GIVE_UP_SECONDS = 1_800.0
"""A request that was taken by a host that died comes back after 10 minutes, the host's lease."""

FAULTS = (
    ErrorResponse(rate=0.05, status=500),
    Throttled(rate=0.05, retry_after=1),
    Hang(rate=0.02),
    BrokenJson(rate=0.01),
)
SETTINGS = {
    "FACE_MAX_TPS": "200",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
}


class Result(msgspec.Struct, frozen=True):
    """The verdict, and what was done to the stack meanwhile."""

    verdict: Verdict
    kills: int
    purged: int
    seconds: float


def run(groups: int, say: Callable[[str], None], *, seed: int = 0, short: bool = False) -> Result:
    """Watch so many groups through the chaos; return what came of it.

    The host is killed from the start, so that requests are hit that have no record yet: they come back after 10
    minutes. When every request is on record the queue is purged, some requests are cancelled, and only then begin those
    trainings that others begin after the request. One open request's row is planted that cannot be read. A ``short``
    run kills the host three times, all of them after the purge.
    """
    random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    with start_stack(settings=SETTINGS) as stack:
        client = direct_client(stack)
        made = make_groups(stack, groups, random, client)
        asked = enqueue(stack, made)
        asked |= plant_unreadable(stack, made[0])
        say(f"{len(asked):,} requests for {groups:,} groups enqueued")
        stack.face.control.faults(*FAULTS, seed=seed)

        def disturb() -> None:
            asked.update(cancel_some(stack, asked, random))
            begin_later_trainings(made, client)

        chaos = _Chaos(stack, set(asked), say, disturb)
        if short:
            chaos.rage(kill_at_once=False, max_kills=3)
        else:
            chaos.rage()
        stack.face.control.faults()
        verdict = judge(asked, read_newest(made, client), chaos.events)
        return Result(verdict, chaos.kills, chaos.purged, round(time.monotonic() - chaos.began, 1))


class _Chaos:
    def __init__(
        self, stack: Stack, missing: set[str], say: Callable[[str], None], after_purge: Callable[[], None]
    ) -> None:
        self._stack = stack
        self._missing = missing
        self._requests = len(missing)
        self._say = say
        self._after_purge = after_purge
        self.events: list[Event] = []
        self.kills = 0
        self.purged = 0
        self.began = time.monotonic()

    def rage(self, *, kill_at_once: bool = True, max_kills: int | None = None) -> None:
        """Kill and purge until each request has its event and nothing is owed any more, or it takes too long."""
        killing, next_kill = kill_at_once, self.began + KILL_EVERY_SECONDS
        with ThreadPoolExecutor(1) as others:
            purge: Future[None] | None = None
            while time.monotonic() < self.began + GIVE_UP_SECONDS and (self._missing or self._left_open()):
                self._receive()
                if purge is None and self._on_record() >= self._requests:
                    self._purge()
                    purge, killing = others.submit(self._after_purge), True
                if killing and self._missing and time.monotonic() >= next_kill:
                    self._kill()
                    killing = self.kills != max_kills
                    next_kill = time.monotonic() + KILL_EVERY_SECONDS
                time.sleep(RECEIVE_EVERY_SECONDS)
            if purge is not None:
                purge.result()
        self._receive()

    def _purge(self) -> None:
        queue = self._stack.storage.watch_queue
        self.purged = queue.get_queue_properties().approximate_message_count or 0
        queue.clear_messages()
        self._say(f"all requests are on record; the queue was purged of {self.purged:,} messages")

    def _kill(self) -> None:
        self._stack.kill_host()
        self._stack.start_host()
        self.kills += 1
        self._say(f"host killed {self.kills} times; {len(self._missing):,} events are missing")

    def _receive(self) -> None:
        while events := self._stack.receive_events():
            self.events += events
            self._missing -= {message_of(event) for event in events}

    def _on_record(self) -> int:
        """Return how many requests are on record, in any state."""
        rows = self._stack.storage.watch_table.query_entities(
            "PartitionKey ne 'live' and RowKey ge 'open!' and RowKey lt 'told~'", select=["RowKey"]
        )
        return sum(1 for _ in rows)

    def _left_open(self) -> bool:
        live = self._stack.storage.watch_table.query_entities("PartitionKey eq 'live'", select=["RowKey"])
        return next(iter(live), None) is not None
