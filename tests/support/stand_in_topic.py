"""Stand in for an Event Grid topic on loopback: it checks what comes, and fails as it is told to."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.core.credentials import AccessToken
from azure.eventgrid import EventGridPublisherClient

LOST = 0
"""The fault of a response that is lost: the topic has taken the events."""

_REQUIRED = {"specversion", "id", "source", "type"}
_TOKEN = "of-the-test"


class StandInTopic:
    """What has come to a topic. ``faults`` are the next calls' statuses or ``LOST``; while ``down``, it hangs up."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.calls = 0
        self.faults: deque[int] = deque()
        self.down = False
        self.taken: list[dict[str, Any]] = []

    @property
    def client(self) -> "LoopbackClient":
        """Return a client of this topic."""
        return LoopbackClient(self.endpoint, _Credential())

    def take(self, request: BaseHTTPRequestHandler) -> int | None:
        """Take a request's events; return the status of the response, ``None`` where there is none."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.calls += 1
        if self.down:
            return None
        fault = self.faults.popleft() if self.faults else 200
        if fault not in (200, LOST):
            return fault
        if request.headers["Authorization"] != f"Bearer {_TOKEN}":
            return 401
        events = json.loads(body)
        if request.headers["Content-Type"] != "application/cloudevents-batch+json; charset=utf-8":
            return 415
        if not all(each.keys() >= _REQUIRED and each["specversion"] == "1.0" for each in events):
            return 400
        if len(body) > 1_000_000:
            return 413
        self.taken += events
        return None if fault == LOST else 200


class LoopbackClient(EventGridPublisherClient):
    """The real client, which sends its token over plain http here."""

    def send(self, events: Any, **options: Any) -> None:
        """Send events to the topic."""
        super().send(events, enforce_https=False, **options)


class _Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://eventgrid.azure.net/.default",)
        return AccessToken(_TOKEN, int(time.time()) + 3_600)


@contextmanager
def stand_in_topic() -> Iterator[StandInTopic]:
    """Run a topic on a free port of loopback."""
    topic = StandInTopic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status = topic.take(self)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "60")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        topic.endpoint = f"http://127.0.0.1:{server.server_port}/api/events"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield topic
        finally:
            server.shutdown()
            thread.join()
