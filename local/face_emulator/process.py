"""The emulator as a child process."""

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import processes
from local.face_emulator.control_api import TOKEN_VARIABLE
from local.face_emulator.control_client import Control

ROOT = Path(__file__).parents[2]
START_TIMEOUT_SECONDS = 30.0

_LISTENING = re.compile(r"Face emulator listening on (http://\S+)")


@dataclass(frozen=True)
class FaceEmulator:
    """A running emulator."""

    endpoint: str
    key: str = field(repr=False)
    control_token: str = field(repr=False)
    control: Control
    child: processes.Child


@contextmanager
def start_face_emulator(
    *,
    key: str = "emulator-key",
    port: int = 0,
    requests_per_second: float | None = None,
    on_line: Callable[[str], None] = processes.ignore_line,
) -> Iterator[FaceEmulator]:
    """Run the emulator on the loopback interface until the block is left; port 0 takes a free one.

    Raises:
        ChildError: it does not come up, because a given port is taken, for example.
    """
    command = [sys.executable, "-m", "local.face_emulator", "--port", str(port), "--key", key]
    if requests_per_second is not None:
        command += ["--requests-per-second", str(requests_per_second)]
    token = secrets.token_urlsafe(32)
    environment = os.environ | {TOKEN_VARIABLE: token}
    with processes.start(command, name="face emulator", cwd=ROOT, environment=environment, on_line=on_line) as child:
        endpoint = child.wait_for(find_endpoint, timeout=START_TIMEOUT_SECONDS, what="it to listen")
        with Control(endpoint, token) as control:
            yield FaceEmulator(endpoint, key, token, control, child)


def find_endpoint(lines: Sequence[str]) -> str | None:
    """Return the endpoint on which the emulator says it listens, or None until it has."""
    return next((match[1] for line in lines if (match := _LISTENING.search(line))), None)
