"""Nothing ends in the poison queue unseen."""

import json

from local.stack import Stack
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for


def test_a_poisoned_request_is_told_as_abandoned(stack: Stack, inbox: Inbox) -> None:
    copy = stack.storage.poison_queue.send_message("poisoned")
    event = inbox.wait_for_rejection("poisoned")
    assert event["type"] == "face.training.abandoned"
    assert event["data"]["messageId"] == copy.id
    assert stack.face.control.statistics().requests == {}


def test_a_poisoned_follow_up_is_dropped_and_its_watch_goes_on(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "unlucky", duration=3)
    stack.face.control.group("largePersonGroup", "unlucky", train=True)
    message = stack.enqueue("unlucky")
    follow_up = {"kind": "largePersonGroup", "groupId": "unlucky", "step": 1}
    stack.storage.poison_queue.send_message(json.dumps(follow_up))
    assert inbox.wait_for_event(message)["type"] == "face.training.succeeded"
    properties = stack.storage.poison_queue.get_queue_properties
    wait_for(lambda: properties().approximate_message_count == 0, what="the follow-up to be dropped")
