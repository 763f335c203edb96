"""A server that sends scripted bytes, for responses that no proper HTTP server would send."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

_REASON = "Scripted"


@dataclass(frozen=True)
class Response:
    """The bytes of one response, in parts."""

    parts: Iterable[bytes]
    pause: float = 0.0  # seconds before each part but the first
    keep: bool = False  # keep the connection open


def http(status: int, body: Any = b"", *, keep: bool = False, **headers: str) -> Response:
    """Return a whole response. A body other than bytes is sent as JSON; ``retry_after`` is the header Retry-After."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = [f"HTTP/1.1 {status} {_REASON}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Response(["\r\n".join(lines).encode() + b"\r\n\r\n" + content], keep=keep)


@dataclass
class ScriptedServer:
    """A running server."""

    endpoint: str
    requests: list[str] = field(default_factory=list)  # the heads of those that came
    opened: int = 0  # connections
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@contextmanager
def scripted_server(*responses: Response) -> Iterator[ScriptedServer]:
    """Run a server that sends these responses in turn and repeats the last one; without any it hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        stopped = threading.Event()
        script = list(responses)
        workers: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while head := _head(connection):
                    server.requests.append(head)
                    response = (script.pop(0) if len(script) > 1 else script[0]) if script else Response([])
                    for index, part in enumerate(response.parts):
                        if index and stopped.wait(response.pause):
                            return
                        connection.sendall(part)
                    if not response.keep:
                        break
            server.closed.release()

        def accept() -> None:
            while not stopped.is_set():
                connection, _ = listener.accept()
                if stopped.is_set():
                    connection.close()
                    return
                connection.settimeout(30)
                server.opened += 1
                workers.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                workers[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield server
        finally:
            stopped.set()
            socket.create_connection(listener.getsockname()).close()
            acceptor.join()


def _head(connection: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = connection.recv(1)
        if not part:
            return ""
        head += part
    return head.decode()
