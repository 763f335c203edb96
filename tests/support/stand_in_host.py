"""The stand-in host for tests, with an app and queues of its own."""

import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.processes import Child

APPS = Path(__file__).parent.parent / "data/apps"
START_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class StandInHost:
    """A running stand-in."""

    url: str
    child: Child


def settings_of_basic(connection_string: str) -> dict[str, str]:
    """Return settings for the app ``basic``, with queues that no other test uses."""
    run = uuid.uuid4().hex
    return {
        "AzureWebJobsStorage": connection_string,
        "AzureFunctionsWebHost__hostid": run,
        "Data": connection_string,
        "WORK_QUEUE": f"work-{run}",
        "RAW_QUEUE": f"raw-{run}",
        "DONE_QUEUE": f"done-{run}",
        "SCHEDULE": "0 0 0 1 1 *",
    }


@contextmanager
def run_stand_in(app: Path, settings: Mapping[str, str], *arguments: str) -> Iterator[Child]:
    """Run the stand-in without waiting for it to listen."""
    command = [sys.executable, "-m", "local.host", "--app", str(app), "--port", "0", *arguments]
    with processes.start(command, name="host", environment=os.environ | settings) as child:
        yield child


@contextmanager
def start_stand_in(app: Path, settings: Mapping[str, str], *arguments: str) -> Iterator[StandInHost]:
    """Run the stand-in on a free port, and wait until it listens."""
    with run_stand_in(app, settings, *arguments) as child:
        url = child.wait_for(find_url, timeout=START_TIMEOUT_SECONDS, what="it to listen")
        yield StandInHost(url, child)


def find_url(lines: Sequence[str]) -> str | None:
    """Return the address that the stand-in says it listens on."""
    return next((line.split()[-1] for line in lines if line.startswith("Listening on ")), None)
