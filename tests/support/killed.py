"""A process that makes a snapshot and dies by SIGKILL at a chosen one of its requests."""

import itertools
import multiprocessing
import os
import signal
from threading import Lock
from typing import Any, Literal
from unittest import mock

import requests
from azure.storage.blob import ContainerClient

from shared.snapshots.listing import by_ranges
from tests.support.snapshots import face_client, snapshot_job

type When = Literal["before", "after"]

# Children are forked from a server that has these imported and no threads: they start in milliseconds.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def run_snapshot(
    container: str,
    connection_string: str,
    endpoint: str,
    key: str,
    *,
    kill_at: int | None = None,
    when: When = "before",
) -> int | None:
    """Make a snapshot in a process of its own, which dies before or after its `kill_at`-th request.

    Return the number of its requests, `None` where it died; raise RuntimeError where it failed otherwise.
    """
    receiver, sender = _context.Pipe(duplex=False)
    arguments = (sender, container, connection_string, endpoint, key, kill_at, when)
    child = _context.Process(target=_child, args=arguments)
    child.start()
    sender.close()
    child.join()
    if child.exitcode == -signal.SIGKILL:
        return None
    if child.exitcode != 0:
        raise RuntimeError(f"the snapshot's process ended with {child.exitcode}")
    count: int = receiver.recv()
    return count


def _child(
    sender: Any, container: str, connection_string: str, endpoint: str, key: str, kill_at: int | None, when: When
) -> None:
    by_ranges._SAVE_SECONDS = 0.0  # noqa: SLF001 - so that little work is enough to be resumed
    send, numbers, lock, seen = requests.Session.send, itertools.count(1), Lock(), [0]

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        with lock:
            number = seen[0] = next(numbers)
        if number == kill_at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        response = send(session, request, **options)
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    # The SDK and our own client both send by this.
    mock.patch.object(requests.Session, "send", counted).start()
    client = ContainerClient.from_connection_string(connection_string, container)
    snapshot_job(face_client(endpoint, key), client).run()
    sender.send(seen[0])
