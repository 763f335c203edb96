"""The logs of all parts in one file under ``.local/logs``, and on the terminal where wanted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from local.workspace import make_folder

ROOT = Path(__file__).parent.parent
DIRECTORY = ROOT / ".local/logs"
KEPT = 50

_COLOURS = {"azurite": "magenta", "face": "cyan", "host": "green"}


@dataclass
class Logs:
    """The log of a run: the lines of each part in one file."""

    path: Path
    _file: TextIO
    _console: Console | None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, part: str) -> Callable[[str], None]:
        """Return a function that takes the lines of a part (``azurite``, ``face``, ``host``), on any thread."""

        def take(line: str) -> None:
            with self._lock:
                print(f"{datetime.now(UTC):%H:%M:%S.%f} {part:<7} | {line}", file=self._file, flush=True)
                if self._console:
                    label = Text(f"{part:<7} | ", style=_COLOURS[part])
                    # A part's own colours are kept.
                    self._console.print(label + Text.from_ansi(line), soft_wrap=True)

        return take


@contextmanager
def keep_logs(console: Console | None = None) -> Iterator[Logs]:
    """Keep the logs of one run in a file of its own, and show them on ``console`` where one is given.

    The newest files are kept, so that a failed run can be examined.

    Raises:
        NotWritableError: the folder of logs cannot be written to.
    """
    make_folder(DIRECTORY)
    path = _new_path()
    _remove_old()
    with path.open("x", encoding="utf-8") as file:
        yield Logs(path, file, console)


def _new_path() -> Path:
    return DIRECTORY / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{threading.get_native_id()}.log"


def _remove_old() -> None:
    for old in sorted(DIRECTORY.glob("*.log"))[:-KEPT]:
        with suppress(FileNotFoundError):  # another run was quicker
            old.unlink()
