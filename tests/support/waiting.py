"""Waiting for what another process does."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.02


def wait_for[T](find: Callable[[], T | None], *, what: str, timeout: float = 45.0) -> T:
    """Return what ``find`` returns once that is true, or raise AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited {timeout:g} s for {what}"
        time.sleep(POLL_SECONDS)
    return found
