"""The whole app on one machine: Azurite, the Face emulator and the Functions host, started and ended together."""

import base64
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from local.app_settings import face_settings, read_sample_settings, storage_settings
from local.azurite import Azurite, Ports, start_azurite
from local.connection import Connection, remove_connection, write_connection
from local.face_emulator.process import FaceEmulator, start_face_emulator
from local.functions_host import FunctionsHost, HostKind, default_host_kind, start_functions_host
from local.logs import Logs, keep_logs
from local.ports import azurite_ports, host_port
from local.processes import Child, free_port
from shared.settings import ConnectionString
from shared.storage import Storage, connect

APP_START_TIMEOUT_SECONDS = 60.0
RECEIVE_SECONDS = 30

type Event = dict[str, Any]


@dataclass
class Stack:
    """A running stack."""

    azurite: Azurite
    storage: Storage  # clients of the app's queues, table and container
    settings: Mapping[str, str]  # the app's, as the host got them
    logs: Logs
    host_kind: HostKind
    _host_port: int
    _keys_file: Path
    _face: FaceEmulator | None  # None where the settings name a Face resource
    _host: FunctionsHost | None = None
    _host_end: ExitStack = field(default_factory=ExitStack)

    @property
    def has_emulator(self) -> bool:
        """Whether the Face service is the emulator, not a resource that the settings name."""
        return self._face is not None

    @property
    def face(self) -> FaceEmulator:
        """The Face emulator.

        Raises:
            RuntimeError: the settings name a Face resource instead.
        """
        if self._face is None:
            raise RuntimeError("found no Face emulator: the settings name a Face resource in FACE_ENDPOINT")
        return self._face

    @property
    def host(self) -> FunctionsHost:
        """The running host.

        Raises:
            RuntimeError: there is none now.
        """
        if self._host is None:
            raise RuntimeError("found no running host; start it with start_host()")
        return self._host

    @property
    def connection(self) -> Connection:
        """How to reach the stack while its host runs."""
        keys = self.host.keys
        return Connection(
            address=self.host.endpoint,
            connection_string=self.azurite.connection_string,
            face_endpoint=self.settings["FACE_ENDPOINT"],
            face_key=self.settings["FACE_KEY"],
            face_control_token=self._face.control_token if self._face else None,
            master_key=keys.master_key if keys else None,
            function_key=keys.function_keys["default"] if keys else None,
            function_keys={name: own["default"] for name, own in keys.functions.items()} if keys else {},
        )

    @property
    def children(self) -> list[Child]:
        """The processes that run now."""
        return [self.azurite.child, *(part.child for part in (self._face, self._host) if part)]

    def enqueue(self, body: str | bytes, *, as_base64: bool = False) -> str:
        """Put a body on the queue ``training-watch``, and return its message's ID, which its event's ID ends with."""
        text = body if isinstance(body, str) else body.decode()
        if as_base64:
            text = base64.b64encode(text.encode()).decode()
        return self.storage.watch_queue.send_message(text).id

    def receive_events(self) -> list[Event]:
        """Take the events off the queue ``training-results`` that are there now."""
        events = []
        for message in self.storage.results_queue.receive_messages(visibility_timeout=RECEIVE_SECONDS):
            events.append(json.loads(message.content))
            self.storage.results_queue.delete_message(message)
        return events

    def invoke(self, function_name: str, text: str = "") -> None:
        """Run a function once, without waiting for its end."""
        self.host.invoke(function_name, text)

    def start_host(self) -> None:
        """Start the host, on the same port each time, and wait until the app has made what it needs."""
        self._host = self._host_end.enter_context(
            start_functions_host(
                self.host_kind,
                self.settings,
                port=self._host_port,
                keys_file=self._keys_file,
                on_line=self.logs.of("host"),
            )
        )
        _wait_until_storage_is_made(self._host, self.storage)

    def stop_host(self) -> None:
        """Ask the host to end, and wait until it has."""
        self._host = None
        self._host_end.close()

    def kill_host(self) -> None:
        """End the host at once, as a crash does (SIGKILL)."""
        self.host.child.kill()
        self.stop_host()

    def restart_host(self) -> None:
        """Stop the host and start it again."""
        self.stop_host()
        self.start_host()


@contextmanager
def start_stack(
    *,
    host_kind: HostKind | None = None,
    settings: Mapping[str, str] | None = None,
    usual_ports: bool = False,
    connection_file: Path | None = None,
    azurite_log: Path | None = None,
    console: Console | None = None,
) -> Iterator[Stack]:
    """Run the whole stack on the loopback interface until the block is left; its data is gone with it.

    ``host_kind`` None takes ``func`` where it is on PATH. ``settings`` override those of ``local.settings.sample.json``
    and the stack's own; where they name a ``FACE_ENDPOINT``, no emulator runs. With ``usual_ports``, Azurite and the
    host take their usual ports where they are free. While it runs, ``connection_file`` says how to reach it. The logs
    go to a file, and to ``console`` if there is one; ``azurite_log`` gets each call of the storage.

    Raises:
        FileNotFoundError: a program is not installed.
        ChildError: one does not come up.
        NotWritableError: the checkout cannot be written to.
    """
    with ExitStack() as parts:
        logs = parts.enter_context(keep_logs(console))
        ports = azurite_ports() if usual_ports else Ports()
        azurite = parts.enter_context(start_azurite(ports=ports, log=azurite_log, on_line=logs.of("azurite")))
        settings = {**storage_settings(azurite.connection_string), **(settings or {})}
        face = None
        if "FACE_ENDPOINT" not in settings:
            face = parts.enter_context(start_face_emulator(key=secrets.token_hex(16), on_line=logs.of("face")))
            settings = {**face_settings(face), **settings}
        stack = Stack(
            azurite=azurite,
            storage=connect(ConnectionString(azurite.connection_string)),
            settings=read_sample_settings() | settings,
            logs=logs,
            host_kind=host_kind or default_host_kind(),
            _host_port=host_port() if usual_ports else free_port(),
            _face=face,
            _keys_file=Path(parts.enter_context(TemporaryDirectory(prefix="face-group-ops-"))) / "keys.json",
        )
        parts.callback(stack.stop_host)
        stack.start_host()
        if connection_file:
            write_connection(stack.connection, connection_file)
            parts.callback(remove_connection, stack.connection, connection_file)
        yield stack


def _wait_until_storage_is_made(host: FunctionsHost, storage: Storage) -> None:
    deadline = time.monotonic() + APP_START_TIMEOUT_SECONDS
    # The container is what the app makes last.
    while not storage.snapshot_container.exists():
        if host.child.process.poll() is not None or time.monotonic() > deadline:
            raise host.child.failure(
                f"waited up to {APP_START_TIMEOUT_SECONDS:g} s for the app to make its queues, table and container"
            )
        time.sleep(0.1)
