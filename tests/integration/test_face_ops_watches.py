"""The command line's commands on watches, run as a program on the stack."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.connection import write_connection
from local.functions_host import HostKind
from local.stack import Stack, start_stack
from tests.support.waiting import wait_for

SETTINGS = {
    "FACE_MAX_TPS": "100",
    "WATCH_GRACE_SECONDS": "1",
    "WATCH_MAX_DELAY_SECONDS": "1",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.200",
}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with start_stack(host_kind=HostKind.STAND_IN, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="module")
def environment(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("stack") / "connection.json"
    write_connection(stack.connection, file)
    return {**os.environ, "FACE_OPS_CONNECTION": str(file), "FACE_MAX_TPS": "100", "NO_COLOR": "1", "COLUMNS": "200"}


@pytest.fixture
def face_ops(environment: dict[str, str]) -> Run:
    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli", "--local", *arguments]
        return subprocess.run(  # noqa: S603 - ours
            command, capture_output=True, text=True, env=environment, check=False, input=given, timeout=60
        )

    return run


def train(stack: Stack, group_id: str, **plan: Any) -> None:
    stack.face.control.plan(**plan)
    stack.face.control.group("largePersonGroup", group_id, train=True)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def open_request(stack: Stack, face_ops: Run, group_id: str) -> str:
    """Send a request that stays open, and return its ID once it is on record."""
    train(stack, group_id, duration=600)
    (sent,) = lines(face_ops("watch", group_id, "--json"))
    wait_for(lambda: sent["requestId"] in face_ops("show", group_id).stdout, what="the request to be open")
    return str(sent["requestId"])


@pytest.mark.parametrize(
    ("plan", "code", "outcome"),
    [({"duration": 0.5}, 0, "succeeded"), ({"duration": 0.5, "outcome": "failed"}, 3, "failed")],
)
def test_the_exit_code_tells_the_outcome(
    stack: Stack, face_ops: Run, plan: dict[str, Any], code: int, outcome: str
) -> None:
    train(stack, outcome, **plan)
    done = face_ops("watch", outcome, "--wait", "--json")
    assert (done.returncode, [each["data"]["outcome"] for each in lines(done)]) == (code, [outcome])


def test_of_several_the_worst_outcome_gives_the_exit_code(stack: Stack, face_ops: Run) -> None:
    train(stack, "fine", duration=0.5)
    done = face_ops("watch", "fine", "personGroup/missing", "--wait", "--json")
    assert done.returncode == 5
    assert {each["data"]["outcome"] for each in lines(done)} == {"succeeded", "notFound"}


def test_the_app_starts_the_training_where_asked(stack: Stack, face_ops: Run) -> None:
    stack.face.control.plan(duration=0.5)
    stack.face.control.group("largePersonGroup", "to-train")
    assert face_ops("watch", "to-train", "--train", "--wait").returncode == 0


def test_all_groups_of_the_service_are_watched(stack: Stack, face_ops: Run) -> None:
    stack.face.control.plan(duration=0.5)
    for number in range(3):
        stack.face.control.group("personGroup", f"each-{number}", train=True)
    done = face_ops("watch", "--all", "--kind", "personGroup", "--wait", "--json")
    assert {each["data"]["groupId"] for each in lines(done)} == {f"each-{number}" for number in range(3)}
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["watch"],
        ["watch", "a", "--all"],
        ["watch", "good", "No!"],
        ["watch", "x/y"],
        ["show", "No!"],
        ["cancel", "a", "no-request-id"],
        ["events", "--day", "today"],
        ["events", "--day", "2026-11-24", "--follow"],
    ],
)
def test_wrong_usage_has_exit_code_2_and_sends_nothing(face_ops: Run, arguments: list[str]) -> None:
    done = face_ops(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_watched_is_listed_shown_and_cancelled(stack: Stack, face_ops: Run) -> None:
    request_id = open_request(stack, face_ops, "seen")
    assert "largePersonGroup/seen" in {
        f"{each['kind']}/{each['groupId']}" for each in lines(face_ops("watches", "--json"))
    }
    assert "largePersonGroup/seen" in face_ops("watches").stdout
    (content,) = lines(face_ops("show", "seen", "--json"))
    assert (content["live"], content["training"]["status"]) == (True, "running")
    assert face_ops("cancel", "seen", request_id).returncode == 0
    again = face_ops("cancel", "seen", request_id)
    assert (again.returncode, "has ended" in again.stderr or "cannot be cancelled" in again.stderr) == (5, True)
    shown = face_ops("show", "seen").stdout
    assert "cancelled" in shown
    events = [each for each in stack.receive_events() if each["id"] == request_id]
    assert events  # delivery is at least once
    assert all(each == events[0] for each in events)


def test_without_a_request_all_open_ones_of_the_group_are_cancelled(stack: Stack, face_ops: Run) -> None:
    request_id = open_request(stack, face_ops, "stopped")
    assert lines(face_ops("cancel", "stopped", "--json")) == [{"cancelled": [request_id]}]
    assert lines(face_ops("cancel", "stopped", "--json")) == [{"cancelled": []}]


def test_a_group_that_nobody_watched_and_a_request_that_is_too_old_have_exit_code_5(face_ops: Run) -> None:
    assert face_ops("show", "nobodys").returncode == 5
    assert face_ops("cancel", "nobodys", "20200101T000000Z-old").returncode == 5


def test_events_are_read_from_the_record_and_stay_on_the_queue(stack: Stack, face_ops: Run) -> None:
    train(stack, "told", duration=0.5)
    (event,) = lines(face_ops("watch", "told", "--wait", "--json"))
    assert event in lines(face_ops("events", "--json"))
    assert "succeeded largePersonGroup/told" in face_ops("events").stdout
    assert face_ops("events", "--day", "2020-01-01").stdout == ""
    assert event in stack.receive_events()


def test_events_are_followed_as_they_come(stack: Stack, face_ops: Run, environment: dict[str, str]) -> None:
    train(stack, "followed", duration=0.5)
    command = [sys.executable, "-m", "cli", "--local", "events", "--follow", "--json"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as following,  # noqa: S603 - ours
        ThreadPoolExecutor(1) as pool,
    ):
        try:
            assert following.stdout is not None
            first = pool.submit(following.stdout.readline)
            sent = set()
            while not first.done():  # what is sent before the program listens is not among them
                sent.add(lines(face_ops("watch", "followed", "--json", "--wait"))[0]["id"])
            assert json.loads(first.result())["id"] in sent
        finally:
            following.terminate()


def test_what_was_rejected_is_sent_again(stack: Stack, face_ops: Run) -> None:
    stack.enqueue("Not a group!")

    def rejected() -> list[str]:
        return [
            each["id"]
            for each in lines(face_ops("events", "--json"))
            if each["data"]["outcome"] == "rejected" and each["data"]["body"] == "Not a group!"
        ]

    (first,) = wait_for(rejected, what="the rejection")
    assert face_ops("replay", first, given="n\n").returncode == 5
    done = face_ops("replay", first, "--yes", "--json")
    assert (done.returncode, lines(done)) == (0, [{"id": first, "outcome": "rejected", "sent": True}])
    wait_for(lambda: len(rejected()) == 2, what="the second rejection")
    assert face_ops("replay", "another", "--yes").returncode == 5
