"""Child processes that end with this one, also when it is killed."""

import os
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_SECONDS = 10.0
TAIL_LINES = 200

# Blocks until our end of the pipe is closed, which the kernel does whatever ends us.
_GUARDIAN = ("/bin/sh", "-c", 'read -r _; kill -KILL "-$1"', "guardian")


class ChildError(Exception):
    """A child process ended, or did not become ready in time."""


class Child:
    """A running program whose output is read line by line, with the process group that it leads."""

    def __init__(self, name: str, process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
        self.name = name
        self.process = process
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._changed = threading.Condition()
        self._output_ended = False
        self._reader = threading.Thread(target=self._read_output, name=f"output of {name}", daemon=True)
        self._reader.start()

    def tail(self) -> list[str]:
        """Return the last lines of the output, the newest last."""
        with self._changed:
            return list(self._lines)

    def wait_for[T](self, find: Callable[[Sequence[str]], T | None], *, timeout: float, what: str) -> T:
        """Wait until ``find`` returns a value for the last lines of the output, and return it.

        ``timeout`` is in seconds; ``what`` names in the error what was waited for.

        Raises:
            ChildError: the program ended, or the time is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._output_ended or find(self._lines) is not None, timeout)
            result = find(self._lines)
        if result is None:
            raise self.failure(f"waited up to {timeout:g} s for {what}")
        return result

    def failure(self, doing: str) -> ChildError:
        """Return an error that says how the program stands and what it last said."""
        status = self.process.poll()
        state = "is still running" if status is None else f"ended with status {status}"
        said = "\n".join(f"  {line}" for line in self.tail()[-20:]) or "  (nothing)"
        return ChildError(f"{self.name}: {doing}, but the program {state}. Its last output:\n{said}")

    def stop(self, grace: float = GRACE_SECONDS) -> int:
        """Ask the program to end, kill what is left after ``grace`` seconds, and return its exit status."""
        self._signal_group(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        return self.kill()

    def kill(self) -> int:
        """End the program and all it started at once, and return its exit status. Do nothing where it has ended."""
        self._signal_group(signal.SIGKILL)
        status = self.process.wait()
        self._reader.join()
        return status

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _read_output(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it was opened with a pipe
        with self.process.stdout as output:
            for text in output:
                line = text.rstrip("\r\n")
                self._on_line(line)
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._output_ended = True
            self._changed.notify_all()


def ignore_line(line: str) -> None:
    """Ignore a line of output."""


@contextmanager
def start(
    command: Sequence[str | Path],
    *,
    name: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = ignore_line,
) -> Iterator[Child]:
    """Run ``command`` as a child that leads a process group of its own, and end the group on leaving.

    ``environment`` is the whole environment (default: ours). ``on_line`` gets each line of the program's output, both
    streams together, on a thread of its own. A signal of the terminal does not reach the child: we decide when it ends.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with _guarded(process.pid):
        child = Child(name, process, on_line)
        try:
            yield child
        finally:
            child.stop()


@contextmanager
def _guarded(group: int) -> Iterator[None]:
    """Have the process group killed if we end without leaving the block."""
    guardian = subprocess.Popen(
        (*_GUARDIAN, str(group)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with guardian:
        try:
            yield
        finally:
            guardian.kill()


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
