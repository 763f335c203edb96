"""One run of all that the app, its host and the command line do, which records each call that they make."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.connection import write_connection
from local.face_emulator.faults import ErrorResponse
from local.functions_host import HostKind
from local.snapshot_check import read_pointer
from local.stack import Stack, start_stack
from shared.face.page import ListedKind
from shared.storage import SNAPSHOT_REQUESTS_QUEUE
from shared.training.messages import MAX_DEQUEUE_COUNT
from tests.e2e.conftest import SETTINGS
from tests.e2e.inbox import Inbox
from tests.support.azurite_log import Call, read_calls
from tests.support.waiting import wait_for

APP, OPERATOR = "as-app", "as-operator"
# The SDKs add this to the user agent of each call.
USER_AGENT = "AZURE_HTTP_USER_AGENT"
TRAINED_KINDS = ("personGroup", "largePersonGroup", "largeFaceList")


@dataclass(frozen=True)
class Recorded:
    """What was called in a run, by whom."""

    storage: dict[str, list[Call]]
    face: dict[str, set[str]]  # operations as the emulator names them


@dataclass
class WholeRun:
    """A stack, and what is done with it."""

    stack: Stack
    inbox: Inbox
    environment: dict[str, str]  # of the command line

    def watch(self) -> None:
        """Take requests to each kind of end."""
        face = self.stack.face.control
        for kind in TRAINED_KINDS:
            face.group(kind, "to-train")
            self._end({"kind": kind, "groupId": "to-train", "train": True}, "succeeded")
        self._end({"groupId": "missing"}, "notFound")
        self.inbox.wait_for_body(self.stack.enqueue("{"))
        self._open("cancelled")
        self._call("DELETE", "/groups/largePersonGroup/cancelled/requests")
        self.stack.invoke("look_after_watches")

    def call_each_http_function(self) -> None:
        """Read through the HTTP functions, and send by them."""
        self._send("by-http", "ended")
        day = datetime.now(UTC).date().isoformat()
        for path in ("/groups/largePersonGroup/by-http", "/watches", f"/ended?day={day}", "/snapshots", "/health"):
            self._call("GET", path)

    def snapshot(self) -> None:
        """Take snapshots of all kinds and of members: a first one, one of far fewer groups, one that fails before."""
        face = self.stack.face.control
        face.fill(1500, persons=2)
        self.stack.invoke("snapshot_groups")
        first = self._newest(None)
        face.change(removed=900)  # so many that the list is read once more, and what was stored of it is deleted
        self._next_second(first)
        self._call("POST", "/snapshots", json={})
        second = self._newest(first)
        self._next_second(second)
        face.faults(ErrorResponse(operation="*.list", status=401, code="401"))
        before = face.statistics().requests["dynamicPersonGroup.list"].get("401", 0)
        self.stack.storage.snapshot_requests_queue.send_message('{"kind": "dynamicPersonGroup"}')
        wait_for(
            lambda: face.statistics().requests["dynamicPersonGroup.list"].get("401", 0) > before, what="a run to fail"
        )
        face.faults()
        self.stack.invoke("look_after_watches")
        self._newest(second)

    def poison(self) -> None:
        """Have the host give up a message of each queue, and the app tell of it."""
        # Without its container each run fails, so that the host retries the message and then gives it up.
        self.stack.storage.snapshot_container.delete_container()
        self.stack.storage.snapshot_requests_queue.send_message('{"kind": "dynamicPersonGroup"}')
        wait_for(self._poisoned_snapshots, what="the host to give up the message")
        self.stack.stop_host()
        queue = self.stack.storage.watch_queue
        queue.clear_messages()
        queue.send_message("poisoned")
        for _ in range(MAX_DEQUEUE_COUNT):
            message = queue.receive_message()
            assert message
            queue.update_message(message, visibility_timeout=0)
        self.stack.start_host()
        wait_for(
            lambda: [each for each in self.inbox.events if each["data"]["outcome"] == "abandoned"],
            what="the poisoned request to be told",
        )

    def operate(self) -> None:
        """Use the command line for all that it can do."""
        self._open("watched")
        self.face_ops("watch", "--all", "--kind", "personGroup", "--wait")
        self.face_ops("watches")
        self.face_ops("show", "watched")
        self.face_ops("cancel", "watched")
        self.face_ops("events")
        self.face_ops("replay", "--yes")
        self.face_ops("snapshot")
        self.face_ops("snapshots")
        self.face_ops("verify")
        changed = self.stack.face.control.change(added=1, removed=2, changed=2)
        self.face_ops("diff", "latest", "now")
        self.face_ops("find", changed.removed[0])
        self.face_ops("restore", "latest", "--apply", "--yes", "--prune")

    def face_ops(self, *arguments: str) -> None:
        """Run the command line, and fail where it does."""
        command = [sys.executable, "-m", "cli", "--local", *arguments]
        done = subprocess.run(  # noqa: S603 - ours
            command, capture_output=True, text=True, env=self.environment, check=False, timeout=120
        )
        assert done.returncode == 0, f"face-ops {' '.join(arguments)}: {done.stderr}"

    def face_operations(self) -> Counter[str]:
        """Return how often each operation of the Face service was called so far."""
        requests = self.stack.face.control.statistics().requests
        return Counter({operation: sum(counts.values()) for operation, counts in requests.items()})

    def _poisoned_snapshots(self) -> list[object]:
        with (
            suppress(ResourceNotFoundError),
            QueueClient.from_connection_string(
                self.stack.azurite.connection_string, f"{SNAPSHOT_REQUESTS_QUEUE}-poison"
            ) as queue,
        ):
            return [*queue.peek_messages()]
        return []

    def _end(self, body: dict[str, object], outcome: str) -> None:
        event = self.inbox.wait_for_event(self.stack.enqueue(json.dumps(body)))
        assert event["data"]["outcome"] == outcome

    def _open(self, group_id: str) -> None:
        """Send a request that stays open, and wait until it is on record."""
        self.stack.face.control.plan("largePersonGroup", group_id, duration=600)
        self.stack.face.control.group("largePersonGroup", group_id, train=True)
        self._send(group_id, "open")

    def _send(self, group_id: str, state: str) -> None:
        """Send a request through the HTTP functions, and wait until it has a state."""
        path = self._call("POST", "/requests", json={"groupId": group_id}).json()["location"].removeprefix("/api")
        wait_for(lambda: self._call("GET", path).json()["state"] == state, what=f"the request to be {state}")

    def _call(self, method: str, path: str, *, json: object = None) -> requests.Response:
        keys = self.stack.host.keys
        assert keys
        headers = {"x-functions-key": keys.function_keys["default"]}
        address = f"{self.stack.host.endpoint}/api{path}"
        response = requests.request(method, address, headers=headers, json=json, timeout=60)
        response.raise_for_status()
        return response

    def _newest(self, old: str | None) -> str:
        """Return the ID of the newest snapshot of groups and members, once it is another."""

        def newest() -> str | None:
            with suppress(ResourceNotFoundError):
                groups = read_pointer(self.stack.storage.snapshot_container)
                members = read_pointer(self.stack.storage.members_container)
                if groups and members and groups["snapshotId"] != old:
                    return str(groups["snapshotId"])
            return None

        return wait_for(newest, what="a snapshot", timeout=90)

    def _next_second(self, snapshot_id: str) -> None:
        wait_for(lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}" > snapshot_id, what="the next second")


def record(folder: Path) -> Recorded:
    """Run all of it, and return what was called."""
    log, connection = folder / "azurite.log", folder / "connection.json"
    settings = {
        **SETTINGS,
        USER_AGENT: APP,
        "FACE_MAX_TPS": "1000",
        "SNAPSHOT_KINDS": ",".join(ListedKind),
        "SNAPSHOT_INCLUDE_MEMBERS": "true",
        "SNAPSHOT_SCHEDULE": "0 0 0 1 1 *",
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
    }
    with start_stack(host_kind=HostKind.STAND_IN, settings=settings, azurite_log=log) as stack:
        write_connection(stack.connection, connection)
        environment = {
            **os.environ,
            USER_AGENT: OPERATOR,
            "FACE_OPS_CONNECTION": str(connection),
            "FACE_MAX_TPS": "1000",
        }
        run = WholeRun(stack, Inbox(stack), environment)
        run.watch()
        run.call_each_http_function()
        run.snapshot()
        of_app = run.face_operations()
        run.operate()
        of_operator = run.face_operations() - of_app
        run.poison()
    return Recorded(dict(_by_caller(read_calls(log))), {APP: set(of_app), OPERATOR: set(of_operator)})


def _by_caller(calls: Iterator[Call]) -> Iterator[tuple[str, list[Call]]]:
    every = list(calls)
    for who in (APP, OPERATOR):
        yield who, [call for call in every if call.caller.endswith(f" {who}")]
