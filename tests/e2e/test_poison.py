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


def test_a_poisoned_follow_up_is_dropped_without_a_word(stack: Stack, inbox: Inbox) -> None:
    follow_up = {"kind": "personGroup", "groupId": "poisoned", "step": 3}
    stack.storage.poison_queue.send_message(json.dumps(follow_up))
    last = stack.storage.poison_queue.send_message("personGroup/behind-it")
    inbox.wait_for_body(last.id)
    wait_for(lambda: not stack.storage.poison_queue.peek_messages(), what="an empty poison queue")
    assert not [event for event in inbox.events if event["data"].get("body") == json.dumps(follow_up)]
