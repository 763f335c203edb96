"""Nothing ends in the poison queue unseen."""

from typing import Any

from shared.training.request import FollowUp

from local.stack import Stack
from shared.face.models import GroupKind
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for


def test_a_poisoned_request_is_taken_as_a_request_again(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.group("largePersonGroup", "poisoned", train=True)
    copy = stack.storage.poison_queue.send_message("poisoned")
    assert inbox.wait_for_event(copy.id)["type"] == "face.training.succeeded"


def test_a_watch_whose_follow_ups_are_poisoned_three_times_is_abandoned(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "unlucky", duration=3600)
    stack.face.control.group("largePersonGroup", "unlucky", train=True)
    message = stack.enqueue("unlucky")
    for number in range(1, 4):
        poison_a_follow_up(stack, "unlucky")
        wait_for_poisonings(stack, "unlucky", number)
    event = inbox.wait_for_event(message)
    assert event["type"] == "face.training.abandoned"
    assert "3 times" in event["data"]["error"]


def wait_for_poisonings(stack: Stack, group_id: str, count: int) -> None:
    """Wait until so many are counted in the watch's record."""
    wait_for(lambda: record(stack, group_id).get("poisonings", 0) >= count, what=f"{count} poisonings on record")


def poison_a_follow_up(stack: Stack, group_id: str) -> None:
    """Put a follow-up of the watch on the poison queue, as the host would."""
    watch = wait_for(lambda: record(stack, group_id), what="the watch's record")
    # A step far ahead, since the watch goes on meanwhile and would drop one that it has passed.
    follow_up = FollowUp(watch["RowKey"], GroupKind.LARGE_PERSON_GROUP, group_id, step=1000)
    stack.storage.poison_queue.send_message(follow_up.body)


def record(stack: Stack, group_id: str) -> dict[str, Any]:
    """Return the group's record, empty where there is none."""
    rows = stack.storage.watch_table.query_entities(f"PartitionKey eq 'largePersonGroup:{group_id}'")
    return dict(next(iter(rows), {}))
