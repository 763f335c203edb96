"""Each request gets its one event, whatever its form and however its training ends."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.stack import Event, Stack
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for

DATA_FIELDS = {"kind", "groupId", "outcome", "training", "polls", "watchedSeconds", "correlationId", "error"}


@pytest.mark.parametrize(
    ("body", "as_base64", "subject"),
    [
        pytest.param("an-id", False, "largePersonGroup/an-id", id="id"),
        pytest.param("packed", True, "largePersonGroup/packed", id="id-base64"),
        pytest.param("\ufeff  marked\n", False, "largePersonGroup/marked", id="id-byte-order-mark"),
        pytest.param("personGroup/small", False, "personGroup/small", id="kind-and-id"),
        pytest.param('{"groupId": "faces", "kind": "largeFaceList"}', False, "largeFaceList/faces", id="json"),
        pytest.param('{"groupId": "both", "kind": "personGroup"}', True, "personGroup/both", id="json-base64"),
        pytest.param('{"groupId": "null", "train": null}', False, "largePersonGroup/null", id="json-null"),
    ],
)
def test_a_training_that_succeeds_is_reported_whatever_the_form_of_the_request(
    stack: Stack, inbox: Inbox, body: str, as_base64: bool, subject: str
) -> None:
    kind, group_id = subject.split("/")
    stack.face.control.group(kind, group_id, train=True)
    event = inbox.wait_for_event(stack.enqueue(body, as_base64=as_base64))
    assert_is_event(event, stack, "succeeded", kind, group_id)
    assert event["data"]["training"]["status"] == "succeeded"


def test_a_training_is_watched_until_it_has_ended(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "slow", duration=3)
    stack.face.control.group("largePersonGroup", "slow", train=True)
    event = inbox.wait_for_event(stack.enqueue('{"groupId": "slow", "correlationId": "import-1"}'))
    assert_is_event(event, stack, "succeeded", "largePersonGroup", "slow", correlation_id="import-1")
    assert event["data"]["polls"] > 1
    assert event["data"]["watchedSeconds"] > 1


def test_a_training_that_fails_is_reported_with_the_services_message(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largeFaceList", "empty", outcome="failed", message="There are no faces.")
    stack.face.control.group("largeFaceList", "empty", train=True)
    event = inbox.wait_for_event(stack.enqueue("largeFaceList/empty"))
    assert_is_event(event, stack, "failed", "largeFaceList", "empty")
    assert event["data"]["error"] == "There are no faces."


def test_a_group_that_does_not_appear_is_not_found(stack: Stack, inbox: Inbox) -> None:
    event = inbox.wait_for_event(stack.enqueue("personGroup/misspelt"))
    assert_is_event(event, stack, "notFound", "personGroup", "misspelt")
    assert "PersonGroupNotFound" in event["data"]["error"]


def test_a_group_that_nobody_trains_is_not_trained(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.group("largePersonGroup", "untrained")
    event = inbox.wait_for_event(stack.enqueue("untrained"))
    assert_is_event(event, stack, "notTrained", "largePersonGroup", "untrained")
    assert "LargePersonGroupNotTrained" in event["data"]["error"]


def test_a_request_is_superseded_by_a_newer_one_for_its_group(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("largePersonGroup", "twice", duration=5)
    stack.face.control.group("largePersonGroup", "twice", train=True)
    first = stack.enqueue("twice")
    # Of two messages of the same second nobody can tell which is newer.
    next_second = datetime.now(UTC) + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > next_second, what="the next second")
    second = stack.enqueue("twice")
    superseded, succeeded = inbox.wait_for_event(first), inbox.wait_for_event(second)
    assert_is_event(superseded, stack, "superseded", "largePersonGroup", "twice", superseded_by=succeeded["id"])
    assert_is_event(succeeded, stack, "succeeded", "largePersonGroup", "twice")


def test_a_stale_end_is_not_reported(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.group("largePersonGroup", "again", train=True)
    after = datetime.now(UTC) + timedelta(seconds=1)
    message = stack.enqueue(json.dumps({"groupId": "again", "trainedAfter": after.isoformat()}))
    wait_for(lambda: datetime.now(UTC) > after, what="a training of now to be new enough")
    wait_for(lambda: looks(stack) >= 2, what="a second look at the old training")
    assert not inbox.events_of(message)
    stack.face.control.group("largePersonGroup", "again", train=True)
    event = inbox.wait_for_event(message)
    assert_is_event(event, stack, "succeeded", "largePersonGroup", "again")
    assert datetime.fromisoformat(event["data"]["training"]["createdDateTime"]) >= after


def test_a_training_that_was_asked_for_is_started_once(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.plan("personGroup", "to-train", duration=2)
    stack.face.control.group("personGroup", "to-train")
    message = stack.enqueue('{"groupId": "to-train", "kind": "personGroup", "train": true}')
    assert_is_event(inbox.wait_for_event(message), stack, "succeeded", "personGroup", "to-train")
    assert stack.face.control.statistics().train_calls == {"personGroup/to-train": {"202": 1}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("Not a group!", "no group ID", id="no-id"),
        pytest.param("personGroups/one", "no kind of group", id="no-kind"),
        pytest.param('{"groupId": "one", "trainAfter": null}', "trainAfter", id="unknown-field"),
        # The host would make trigger metadata of these, and then could not call the function.
        pytest.param('{"groupId": "one", "dequeueCount": "x", "insertionTime": "y"}', "dequeueCount", id="metadata"),
    ],
)
def test_a_body_that_is_no_request_is_rejected_with_the_reason(
    stack: Stack, inbox: Inbox, body: str, reason: str
) -> None:
    stack.enqueue(body)
    event = inbox.wait_for_rejection(body)
    assert event["type"] == "face.training.rejected"
    assert event["source"] == stack.face.endpoint
    assert "subject" not in event
    assert event["data"].keys() == DATA_FIELDS | {"body"}
    assert reason in event["data"]["error"]
    assert stack.face.control.statistics().requests == {}


def looks(stack: Stack) -> int:
    """Return how often the service was asked for a status of a training."""
    requests = stack.face.control.statistics().requests
    return sum(sum(answers.values()) for operation, answers in requests.items() if operation.endswith(".training"))


def assert_is_event(
    event: Event,
    stack: Stack,
    outcome: str,
    kind: str,
    group_id: str,
    *,
    correlation_id: str | None = None,
    superseded_by: str | None = None,
) -> None:
    """Hold an event to the form that other programs rely on."""
    assert event == {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"{stack.face.endpoint}/{kind.lower()}s/{group_id}",
        "type": f"face.training.{outcome}",
        "subject": f"{kind}/{group_id}",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": event["data"],
    }
    assert datetime.fromisoformat(event["time"]) <= datetime.now(UTC)
    data = event["data"]
    assert data.keys() == DATA_FIELDS | ({"supersededBy"} if superseded_by else set())
    assert (data["kind"], data["groupId"], data["outcome"]) == (kind, group_id, outcome)
    assert data["correlationId"] == correlation_id
    assert data.get("supersededBy") == superseded_by
    assert data["polls"] >= (0 if superseded_by else 1)
    assert (data["error"] is None) == (outcome in ("succeeded", "superseded"))
