"""What the demo does not show: the exact form of events, what is not reported, and why a body is rejected."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.stack import Stack
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for

DATA_FIELDS = {
    "kind",
    "groupId",
    "outcome",
    "training",
    "polls",
    "watchedSeconds",
    "lateSeconds",
    "correlationId",
    "error",
    "serviceRequestId",
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
    assert 0 <= data["lateSeconds"] < data["watchedSeconds"]
    assert data["serviceRequestId"]


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
