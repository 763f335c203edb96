"""What the demo does not show: the exact form of events, what is not reported, and why a body is rejected."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.stack import Stack
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for

DATA_FIELDS = {
    *("kind", "groupId", "outcome", "training", "polls", "watchedSeconds", "lateSeconds"),
    *("correlationId", "error", "serviceRequestId"),
}


def test_an_event_has_the_form_that_programs_rely_on(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "slow", duration=3)
    stack.face.control.group("largePersonGroup", "slow", train=True)
    event = inbox.wait_for_event(stack.enqueue('{"groupId": "slow", "correlationId": "import-1", "train": null}'))
    data = event["data"]
    assert event == {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"{stack.face.endpoint}/largepersongroups/slow",
        "type": "face.training.succeeded",
        "subject": "largePersonGroup/slow",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": data,
    }
    assert datetime.fromisoformat(event["time"]) <= datetime.now(UTC)
    assert data.keys() == DATA_FIELDS
    assert (data["kind"], data["groupId"], data["outcome"]) == ("largePersonGroup", "slow", "succeeded")
    assert (data["correlationId"], data["error"], data["training"]["status"]) == ("import-1", None, "succeeded")
    assert data["polls"] > 1
    assert data["watchedSeconds"] > 1
    assert data["lateSeconds"] >= 0
    assert data["serviceRequestId"]


def test_each_of_three_requests_for_one_group_gets_its_own_true_end(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "shared", duration=3)
    stack.face.control.group("largePersonGroup", "shared", train=True)
    after = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    plain = stack.enqueue("shared")
    newer = stack.enqueue(json.dumps({"groupId": "shared", "trainedAfter": after}))
    trained = stack.enqueue(json.dumps({"groupId": "shared", "train": True}))
    events = [inbox.wait_for_event(message) for message in (plain, newer, trained)]
    assert {event["type"] for event in events} == {"face.training.succeeded"}
    first, second, third = (event["data"]["training"]["createdDateTime"] for event in events)
    assert first < second == third
    assert stack.face.control.statistics().train_calls == {"largePersonGroup/shared": {"202": 1}}


def test_a_cancelled_request_ends_and_the_others_go_on(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "halved", duration=4)
    stack.face.control.group("largePersonGroup", "halved", train=True)
    kept, cancelled = stack.enqueue("halved"), stack.enqueue("halved")
    request_id = wait_for(lambda: request_id_of(stack, cancelled), what="the request to be on record")
    stack.host.call("DELETE", f"/groups/largePersonGroup/halved/requests/{request_id}")
    assert inbox.wait_for_event(cancelled)["type"] == "face.training.cancelled"
    assert inbox.wait_for_event(kept)["type"] == "face.training.succeeded"


def request_id_of(stack: Stack, message_id: str) -> str | None:
    """Return the ID of the request that was this message, once it is on record."""
    rows = stack.storage.watch_table.list_entities()
    return next((row["requestId"] for row in rows if row.get("requestId", "").endswith(message_id)), None)


def test_a_stale_end_is_not_reported(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.group("largePersonGroup", "again", train=True)
    after = datetime.now(UTC) + timedelta(seconds=1)
    message = stack.enqueue(json.dumps({"groupId": "again", "trainedAfter": after.isoformat()}))
    wait_for(lambda: datetime.now(UTC) > after, what="a training of now to be new enough")
    wait_for(lambda: polls(stack) >= 2, what="a second poll of the old training")
    assert not inbox.events_of(message)
    stack.face.control.group("largePersonGroup", "again", train=True)
    event = inbox.wait_for_event(message)
    assert event["type"] == "face.training.succeeded"
    assert datetime.fromisoformat(event["data"]["training"]["createdDateTime"]) >= after


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("personGroups/one", "kind", id="unknown-kind"),
        # The host would make trigger metadata of these, and then could not call the function.
        pytest.param('{"groupId": "one", "dequeueCount": "x", "insertionTime": "y"}', "dequeueCount", id="metadata"),
    ],
)
def test_a_rejected_body_is_reported_with_the_reason(stack: Stack, inbox: Inbox, body: str, reason: str) -> None:
    message = stack.enqueue(body)
    event = inbox.wait_for_body(message)
    assert event["type"] == "face.training.rejected"
    assert event["source"] == stack.face.endpoint
    assert "subject" not in event
    assert event["data"].keys() == DATA_FIELDS | {"body", "messageId"}
    assert event["data"]["body"] == body
    assert reason in event["data"]["error"]["message"]
    assert stack.face.control.statistics().requests == {}


def polls(stack: Stack) -> int:
    """Return how often the service was asked for the status of a training."""
    requests = stack.face.control.statistics().requests
    return sum(sum(counts.values()) for operation, counts in requests.items() if operation.endswith(".training"))
