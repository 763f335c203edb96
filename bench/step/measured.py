"""Take requests, polls and ends through one version's watch, and print what they cost as JSON.

Usage: measured.py first|present GROUPS, with the version's folder on PYTHONPATH. The versions share no code, so each is
imported where it is measured.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import requests

POLLS = 3
"""Polls that go on, for each group."""

type Handle = Callable[[str, str], None]
"""Handles a message of an ID and a body."""


class Calls:
    """The calls of this process to anything but the Face service, counted as they go out."""

    def __init__(self, face_endpoint: str) -> None:
        self.counts = {"app": 0, "budget": 0, "events": 0}
        send = requests.Session.request

        def counting(session: requests.Session, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if not url.startswith(face_endpoint):
                kind = "budget" if "'budget'" in url else "events" if "training-results" in url else "app"
                self.counts[kind] += 1
            return send(session, method, url, *args, **kwargs)

        requests.Session.request = counting  # type: ignore[method-assign,assignment] # the SDK sends through it


def main(version: str, groups: int) -> None:
    """Measure and print."""
    handle, follow_up = {"first": _first, "present": _present}[version]()
    calls = Calls(os.environ["BENCH_FACE_ENDPOINT"])
    names = [f"step-{number:05}" for number in range(groups)]
    figures: dict[str, dict[str, float]] = {}
    handle("00000000-0000-4000-8000-000000000000", names[0])  # connects, and imports what is imported late

    @contextmanager
    def cost(kind: str, count: int) -> Iterator[None]:
        before, cpu = dict(calls.counts), time.process_time()
        yield
        seconds = time.process_time() - cpu
        figures[kind] = {
            "cpu_ms": round(1000 * seconds / count, 3),
            "calls": round((calls.counts["app"] - before["app"]) / count, 3),
            "budget_calls": round((calls.counts["budget"] - before["budget"]) / count, 3),
        }

    ids = {name: f"{number:08}-0000-4000-8000-000000000000" for number, name in enumerate(names[1:], 1)}
    with cost("request", len(ids)):
        for name, message_id in ids.items():
            handle(message_id, name)
    with cost("poll", len(ids) * POLLS):
        for step in range(1, POLLS + 1):
            for name, message_id in ids.items():
                handle(f"{message_id[:-2]}{step:02}", follow_up(name, message_id, step))
    print("polled", flush=True)
    sys.stdin.readline()
    with cost("end", len(ids)):
        for name, message_id in ids.items():
            handle(f"{message_id[:-2]}99", follow_up(name, message_id, POLLS + 1))
    print(json.dumps(figures))


NOW = datetime.now(UTC).replace(microsecond=0)


def _first() -> tuple[Handle, Callable[[str, str, int], str]]:
    # The first version's modules have the names of the present ones, and other things in them.
    client, kinds = import_module("shared.face.client"), import_module("shared.face.models")
    training = {
        name: import_module(f"shared.training.{name}")
        for name in ("decide", "report", "request", "schedule", "store", "watch")
    }
    storage = import_module("shared.storage").connect(
        import_module("shared.settings").ConnectionString(os.environ["BENCH_STORAGE"])
    )
    storage.make_missing()
    face = client.FaceClient(
        os.environ["BENCH_FACE_ENDPOINT"],
        import_module("shared.face.credentials").KeyCredential(os.environ["BENCH_FACE_KEY"]),
        import_module("shared.face.budget").RequestBudget(10_000),
        client.ApiVersions("v1.2-preview.1", "v1.2-preview.1"),
    )
    watcher = training["watch"].Watcher(
        face=face,
        store=training["store"].WatchStore(storage.watch_table),
        queue=storage.watch_queue,
        reporter=training["report"].Reporter(storage.results_queue),
        policy=training["decide"].Policy(training["schedule"].Bounds(1, 60), timeout=21_600, grace=60),
        default_kind=kinds.GroupKind.LARGE_PERSON_GROUP,
        clock=lambda: datetime.now(UTC),
        jitter=random.random,
    )

    def handle(message_id: str, body: str) -> None:
        watcher.handle(training["request"].Message(message_id, NOW, body.encode()))

    def follow_up(name: str, message_id: str, step: int) -> str:
        watch_id = f"{NOW:%Y%m%dT%H%M%SZ}-{message_id}"
        return json.dumps({"watchId": watch_id, "kind": "largePersonGroup", "groupId": name, "step": step})

    return handle, follow_up


def _present() -> tuple[Handle, Callable[[str, str, int], str]]:
    from shared.budget.budget import Budget
    from shared.budget.store import BudgetStore
    from shared.face.client import ApiVersions, FaceClient
    from shared.face.credentials import KeyCredential
    from shared.settings import ConnectionString
    from shared.storage import connect
    from shared.training.messages import Message
    from tests.support.watching import watch_jobs

    storage = connect(ConnectionString(os.environ["BENCH_STORAGE"]))
    storage.make_missing()
    face = FaceClient(
        os.environ["BENCH_FACE_ENDPOINT"],
        KeyCredential(os.environ["BENCH_FACE_KEY"]),
        ApiVersions("v1.2-preview.1", "v1.2-preview.1"),
    )
    jobs = watch_jobs(
        face=face,
        budget=Budget(BudgetStore(storage.watch_table, "bench"), max_tps=10_000, poll_worth=1),
        table=storage.watch_table,
        queue=storage.watch_queue,
        results=storage.results_queue,
    )

    def handle(message_id: str, body: str) -> None:
        jobs.watcher.handle(Message(message_id, NOW, body.encode()))

    def follow_up(name: str, message_id: str, step: int) -> str:
        del message_id
        return json.dumps({"kind": "largePersonGroup", "groupId": name, "step": step})

    return handle, follow_up


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
