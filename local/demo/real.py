"""The demo with a Face resource of the user's: it only reads there."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from local.demo.snapshot import FUNCTION
from local.snapshot_check import find_problems, read_pointer
from local.stack import Event, Stack

POLL_SECONDS = 1.0


def show_resource(stack: Stack, console: Console, groups: Sequence[str]) -> list[str]:
    """Watch the groups' newest trainings (``kind/groupId``) and take a snapshot; return what is not as expected.

    It waits for as long as the trainings and the listing take.
    """
    problems = _watch(stack, console, groups) if groups else []
    console.rule("A snapshot of the dynamic person groups", align="left")
    return problems + _take_snapshot(stack, console)


def _watch(stack: Stack, console: Console, groups: Sequence[str]) -> list[str]:
    console.rule("Watching trainings", align="left")
    console.print("Waiting for the end of each training. Ctrl-C ends the demo.")
    waiting = {stack.enqueue(group): group for group in groups}
    problems = []
    while waiting:
        for event in stack.receive_events():
            ended = [message_id for message_id, group in waiting.items() if _is_of(event, message_id, group)]
            for group in (waiting.pop(message_id) for message_id in ended):
                console.print(f"event {event['type']} {escape(group)}", soft_wrap=True)
                if event["data"]["outcome"] == "rejected":
                    problems.append(f"{group} was rejected: {event['data']['error']}")
        time.sleep(POLL_SECONDS)
    return problems


def _is_of(event: Event, message_id: str, body: str) -> bool:
    # The event of a rejected body has an ID of its own.
    return bool(event["id"].endswith(f"-{message_id}") or event["data"].get("body") == body)


def _take_snapshot(stack: Stack, console: Console) -> list[str]:
    stack.invoke(FUNCTION)
    container = stack.storage.snapshot_container
    while (pointer := read_pointer(container)) is None:
        time.sleep(POLL_SECONDS)
    console.print(f"{pointer['manifest']['groups']['count']} groups, in {pointer['manifest']['calls']} calls")
    return find_problems(container, pointer)
