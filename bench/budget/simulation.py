"""Time that passes only in sleeps, and many workers in one thread that sleep in it."""

import heapq
from collections import deque
from collections.abc import Callable
from types import TracebackType

import greenlet

START = 1_795_000_000.0
"""Seconds since 1970; a round number that tells a simulated time from a real one."""


class Simulation:
    """Run workers, each until it sleeps or waits for a lock."""

    def __init__(self) -> None:
        self.now = START
        self._due: list[tuple[float, int, greenlet.greenlet]] = []
        self._begun = 0
        self._loop = greenlet.getcurrent()

    def time(self) -> float:
        """Return the true time in seconds since 1970."""
        return self.now

    def start(self, work: Callable[[], object]) -> None:
        """Have a new worker begin now."""
        self.wake(greenlet.greenlet(work, parent=self._loop))

    def sleep(self, seconds: float) -> None:
        """Let the worker that calls sleep."""
        self.wake(greenlet.getcurrent(), max(0.0, seconds))
        self.stop()

    def stop(self) -> None:
        """Let the worker that calls wait until another wakes it."""
        self._loop.switch()

    def wake(self, worker: greenlet.greenlet, seconds: float = 0.0) -> None:
        """Have a worker go on in so many seconds."""
        self._begun += 1
        heapq.heappush(self._due, (self.now + seconds, self._begun, worker))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, worker = heapq.heappop(self._due)
            worker.switch()
        self.now = until

    def lock(self) -> "SimulatedLock":
        """Return a lock for this simulation's workers."""
        return SimulatedLock(self)


class SimulatedLock:
    """A lock that is handed on in the order in which it was asked for."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._held = False
        self._waiting: deque[greenlet.greenlet] = deque()

    def __enter__(self) -> None:
        if self._held:
            self._waiting.append(greenlet.getcurrent())
            self._simulation.stop()
        self._held = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._waiting:
            self._simulation.wake(self._waiting.popleft())  # the lock stays held: it is this worker's now
        else:
            self._held = False
