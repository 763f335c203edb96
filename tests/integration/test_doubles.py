"""The doubles of the protocol's tests answer as Azurite does: the same cases run against both."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode
from azure.storage.queue import QueueClient

from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.table import InMemoryTable
from tests.support.waiting import wait_for

KEY = {"PartitionKey": "kind:group", "RowKey": "one"}
UNCHANGED = MatchConditions.IfNotModified


@dataclass(frozen=True)
class Queue:
    """Hold a queue under test, and how to wait until a message that was received is visible again."""

    client: Any
    until_visible: Callable[[int], object]


@pytest.fixture(params=["double", "azurite"])
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "double":
        yield InMemoryTable()
        return
    azurite = request.getfixturevalue("azurite")
    with TableClient.from_connection_string(azurite.connection_string, f"double{uuid.uuid4().hex}") as client:
        client.create_table()
        yield client
        client.delete_table()


@pytest.fixture(params=["double", "azurite"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    if request.param == "double":
        clock = VirtualClock()
        yield Queue(InMemoryQueue(clock), clock.advance)
        return
    azurite = request.getfixturevalue("azurite")
    with QueueClient.from_connection_string(azurite.connection_string, f"double-{uuid.uuid4().hex}") as client:
        client.create_queue()
        yield Queue(client, lambda _: wait_for(client.peek_messages, what="a visible message"))
        client.delete_queue()


def test_a_row_is_created_once(table: Any) -> None:
    table.create_entity({**KEY, "step": 0})
    with pytest.raises(ResourceExistsError):
        table.create_entity({**KEY, "step": 1})
    assert table.get_entity("kind:group", "one")["step"] == 0


def test_each_write_gives_another_etag_which_the_row_then_has(table: Any) -> None:
    first = table.create_entity({**KEY, "step": 0})["etag"]
    second = table.update_entity({**KEY, "step": 0}, mode=UpdateMode.REPLACE, etag=first, match_condition=UNCHANGED)
    assert second["etag"] != first
    assert table.get_entity("kind:group", "one").metadata["etag"] == second["etag"]


def test_a_replaced_row_has_only_what_was_written(table: Any) -> None:
    etag = table.create_entity({**KEY, "step": 0, "noted": True})["etag"]
    table.update_entity({**KEY, "step": 1}, mode=UpdateMode.REPLACE, etag=etag, match_condition=UNCHANGED)
    assert dict(table.get_entity("kind:group", "one")) == {**KEY, "step": 1}


def test_a_write_on_an_old_etag_is_refused(table: Any) -> None:
    old = table.create_entity({**KEY, "step": 0})["etag"]
    table.update_entity({**KEY, "step": 1}, mode=UpdateMode.REPLACE, etag=old, match_condition=UNCHANGED)
    with pytest.raises(ResourceModifiedError):
        table.update_entity({**KEY, "step": 2}, mode=UpdateMode.REPLACE, etag=old, match_condition=UNCHANGED)
    with pytest.raises(ResourceModifiedError):
        table.delete_entity("kind:group", "one", etag=old, match_condition=UNCHANGED)
    assert table.get_entity("kind:group", "one")["step"] == 1


def test_a_row_that_is_gone_can_be_removed_but_not_written(table: Any) -> None:
    etag = table.create_entity({**KEY, "step": 0})["etag"]
    table.delete_entity("kind:group", "one", etag=etag, match_condition=UNCHANGED)
    table.delete_entity("kind:group", "one", etag=etag, match_condition=UNCHANGED)
    with pytest.raises(ResourceNotFoundError):
        table.update_entity({**KEY}, mode=UpdateMode.REPLACE, etag=etag, match_condition=UNCHANGED)
    with pytest.raises(ResourceNotFoundError):
        table.get_entity("kind:group", "one")


def test_queries_give_rows_in_the_order_of_their_keys(table: Any) -> None:
    for row in ("c", "a", "b", "0"):
        table.create_entity({"PartitionKey": "kind:group", "RowKey": row})
    table.create_entity({"PartitionKey": "kind:group-2", "RowKey": "z"})
    found = table.query_entities(
        "PartitionKey eq @partition and RowKey ge @row", parameters={"partition": "kind:group", "row": "a"}
    )
    assert [row["RowKey"] for row in found] == ["a", "b", "c"]


def test_a_comparison_with_an_absent_property_is_never_true(table: Any) -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    table.create_entity({"PartitionKey": "p", "RowKey": "absent"})
    table.create_entity({"PartitionKey": "p", "RowKey": "early", "owed": True, "nextLookAt": moment})
    table.create_entity({"PartitionKey": "p", "RowKey": "late", "owed": True, "nextLookAt": moment.replace(year=2027)})
    found = table.query_entities(
        "(state eq @watching or owed eq true) and nextLookAt lt @before",
        parameters={"watching": "watching", "before": moment.replace(month=12)},
    )
    assert [row["RowKey"] for row in found] == ["early"]


def test_a_received_message_is_invisible_until_its_time_and_then_has_another_receipt(queue: Queue) -> None:
    sent = queue.client.send_message("body")
    first = queue.client.receive_message(visibility_timeout=1)
    assert (first.id, first.content, first.dequeue_count) == (sent.id, "body", 1)
    assert queue.client.receive_message(visibility_timeout=1) is None
    queue.until_visible(1)
    second = queue.client.receive_message(visibility_timeout=600)
    assert (second.id, second.dequeue_count) == (sent.id, 2)
    assert second.inserted_on == first.inserted_on
    with pytest.raises(HttpResponseError):
        queue.client.delete_message(first.id, first.pop_receipt)
    queue.client.delete_message(second.id, second.pop_receipt)
    with pytest.raises(ResourceNotFoundError):
        queue.client.delete_message(second.id, second.pop_receipt)


def test_a_message_that_was_sent_can_be_taken_back_while_nobody_has_received_it(queue: Queue) -> None:
    sent = queue.client.send_message("body", visibility_timeout=60, time_to_live=-1)
    queue.client.delete_message(sent.id, sent.pop_receipt)
    with pytest.raises(ResourceNotFoundError):
        queue.client.delete_message(sent.id, sent.pop_receipt)


def test_a_message_that_was_received_cannot_be_taken_back_by_its_sender(queue: Queue) -> None:
    sent = queue.client.send_message("body")
    received = queue.client.receive_message(visibility_timeout=600)
    with pytest.raises(HttpResponseError):
        queue.client.delete_message(sent.id, sent.pop_receipt)
    queue.client.delete_message(received.id, received.pop_receipt)


def test_a_failed_message_is_visible_again_at_once_when_asked(queue: Queue) -> None:
    queue.client.send_message("body")
    received = queue.client.receive_message(visibility_timeout=600)
    queue.client.update_message(received.id, received.pop_receipt, visibility_timeout=0)
    assert queue.client.receive_message(visibility_timeout=600).dequeue_count == 2


def test_a_cleared_queue_holds_nothing_visible_or_not(queue: Queue) -> None:
    queue.client.send_message("visible")
    queue.client.send_message("invisible", visibility_timeout=1)
    received = queue.client.receive_message(visibility_timeout=600)
    queue.client.clear_messages()
    with pytest.raises(ResourceNotFoundError):
        queue.client.delete_message(received.id, received.pop_receipt)
