"""Nothing ends in the poison queue unseen."""

import json

from local.stack import Stack
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for


def test_a_poisoned_request_is_told_as_abandoned(stack: Stack, inbox: Inbox) -> None:
    body = json.dumps({"groupId": "poisoned", "kind": "personGroup", "correlationId": "import-1"})
    copy = stack.storage.poison_queue.send_message(body)
    event = inbox.wait_for_body(copy.id)
    assert event["type"] == "face.training.abandoned"
    assert event["subject"] == "personGroup/poisoned"
    assert (event["data"]["body"], event["data"]["correlationId"]) == (body, "import-1")


def test_a_poisoned_follow_up_is_dropped_and_its_watch_goes_on(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "unlucky", duration=3)
    stack.face.control.group("largePersonGroup", "unlucky", train=True)
    message = stack.enqueue("unlucky")
    follow_up = {"kind": "largePersonGroup", "groupId": "unlucky", "step": 1}
    stack.storage.poison_queue.send_message(json.dumps(follow_up))
    assert inbox.wait_for_event(message)["type"] == "face.training.succeeded"
    properties = stack.storage.poison_queue.get_queue_properties
    wait_for(lambda: properties().approximate_message_count == 0, what="the follow-up to be dropped")
