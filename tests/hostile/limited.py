"""A process of little memory that runs a module's cases: ``python -m tests.hostile.limited MODULE``.

It writes one ``Report`` a line for each case, and logs at info to stderr, all fields of each record with it.
"""

import importlib
import logging
import os
import resource
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

MEMORY_BYTES = 512 * 1_048_576
STACK_BYTES = 1_048_576
SECRET = "text-that-nobody-may-read"
"""What is planted in all that comes from outside."""

MAX_SECONDS = 10.0
"""A case is many calls, on a machine that may be busy."""

_OWN_FIELDS = set(vars(logging.makeLogRecord({})))


@dataclass(frozen=True)
class Case:
    """Something hostile, done to the app; ``run`` raises where the app does not bear it."""

    name: str
    run: Callable[[], object]


class Report(msgspec.Struct, frozen=True):
    """What became of a case."""

    name: str
    seconds: float
    failure: str | None = None  # the trace of what was raised


class FullFormatter(logging.Formatter):
    """A format that tells every field of a record, as the telemetry does."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text, and its fields."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        return f"{super().format(record)} {fields}"


def check_limited(module: str) -> None:
    """Run the ``CASES`` of a module in a process of its own, and hold them to what is promised of all."""
    if sys.platform != "linux":
        pytest.skip("limits memory by /proc")
    done = subprocess.run(  # noqa: S603 - the tests' own program
        [sys.executable, "-m", __name__, module],
        # What threads reserve, and do not use, counts as memory, too.
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        check=False,
    )
    log = done.stderr.decode()
    assert done.returncode == 0, log[-2_000:]
    reports = [msgspec.json.decode(line, type=Report) for line in done.stdout.splitlines()]
    failures = {report.name: report.failure for report in reports if report.failure is not None}
    assert not failures, f"{len(failures)} of {len(reports)}: {'\n'.join(failures)}\n{next(iter(failures.values()))}"
    assert [report.name for report in reports if report.seconds > MAX_SECONDS] == []
    assert SECRET not in log, log[max(0, log.index(SECRET) - 500) : log.index(SECRET) + 200]
    assert "Traceback" not in log, log[log.index("Traceback") :][:1_000]


def log_in_full() -> None:
    """Log at info to stderr, as the app's process does."""
    handler = logging.StreamHandler()
    handler.setFormatter(FullFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)  # as the wiring does, and with the next line, too
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def limit_memory() -> None:
    """Allow little more than the imports have taken."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Run the cases."""
    cases: list[Case] = importlib.import_module(sys.argv[1]).CASES
    log_in_full()
    threading.stack_size(STACK_BYTES)
    limit_memory()
    for case in cases:
        began, failure = time.monotonic(), None
        try:
            case.run()
        except BaseException:  # noqa: BLE001 - the tests are to see it, whatever it is
            failure = traceback.format_exc()
        report = Report(case.name, time.monotonic() - began, failure)
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
