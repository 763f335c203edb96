"""The doubles of the protocol's tests answer as Azurite does: the same cases run against both."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from http.client import BadStatusLine
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import (
    EdmType,
    EntityProperty,
    RequestTooLargeError,
    TableClient,
    TableErrorCode,
    TableTransactionError,
    UpdateMode,
)
from azure.storage.queue import QueueClient

from tests.support.doubles.clock import VirtualClock
from tests.support.doubles.queue import InMemoryQueue
from tests.support.doubles.table import InMemoryTable
from tests.support.waiting import wait_for

KEY = {"PartitionKey": "kind:group", "RowKey": "one"}
UNCHANGED = MatchConditions.IfNotModified


def row(key: str, **properties: Any) -> dict[str, Any]:
    """Return a row of the group's partition."""
    return {"PartitionKey": "kind:group", "RowKey": key, **properties}


def keys(rows: Iterable[Any]) -> list[str]:
    """Return the row keys."""
    return [each["RowKey"] for each in rows]


@dataclass(frozen=True)
class Queue:
    """Hold a queue under test, and how to wait until a message that was received is visible again."""

    client: Any
    until_visible: Callable[[int], object]


@pytest.fixture(params=["double", "azurite"])
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "double":
        yield InMemoryTable(VirtualClock())
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
    for key in ("c", "a", "b", "0"):
        table.create_entity(row(key))
    table.create_entity({"PartitionKey": "kind:group-2", "RowKey": "z"})
    found = table.query_entities(
        "PartitionKey eq @partition and RowKey ge @row", parameters={"partition": "kind:group", "row": "a"}
    )
    assert keys(found) == ["a", "b", "c"]


def test_a_comparison_with_an_absent_property_is_never_true(table: Any) -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    table.create_entity({"PartitionKey": "p", "RowKey": "absent"})
    table.create_entity({"PartitionKey": "p", "RowKey": "early", "owed": True, "nextPollAt": moment})
    table.create_entity({"PartitionKey": "p", "RowKey": "late", "owed": True, "nextPollAt": moment.replace(year=2027)})
    found = table.query_entities(
        "(state eq @watching or owed eq true) and nextPollAt lt @before",
        parameters={"watching": "watching", "before": moment.replace(month=12)},
    )
    assert keys(found) == ["early"]


def test_a_partition_is_read_up_to_a_row_key(table: Any) -> None:
    for key in ("told!1", "told", "owed!2", "open!3", "!watch"):
        table.create_entity(row(key))
    found = table.query_entities(
        "PartitionKey eq @partition and RowKey lt 'told'", parameters={"partition": KEY["PartitionKey"]}
    )
    assert keys(found) == ["!watch", "open!3", "owed!2"]
    found = table.query_entities("not (RowKey lt 'told') and RowKey ne 'told'")
    assert keys(found) == ["told!1"]


def test_a_query_gives_the_properties_that_are_asked_for(table: Any) -> None:
    table.create_entity(row("one", step=1, event=b"{}"))
    (found,) = table.query_entities("RowKey eq 'one'", select=["RowKey", "step", "absent"])
    assert dict(found) == {"RowKey": "one", "step": 1}
    assert found.metadata["etag"] == table.get_entity("kind:group", "one").metadata["etag"]
    assert found.metadata["timestamp"] is None
    assert dict(table.get_entity("kind:group", "one", select=["event"])) == {"event": b"{}"}


def test_a_query_comes_in_pages_and_goes_on_where_one_ended(table: Any) -> None:
    for key in "abcde":
        table.create_entity(row(key))
    pages = table.query_entities("PartitionKey eq 'kind:group' and RowKey lt 'e'", results_per_page=2).by_page()
    assert keys(next(pages)) == ["a", "b"]
    token = pages.continuation_token
    again = table.query_entities("PartitionKey eq 'kind:group' and RowKey lt 'e'", results_per_page=2).by_page(token)
    for rest in (pages, again):
        assert keys(next(rest)) == ["c", "d"]
        with pytest.raises(StopIteration):
            next(rest)


def test_a_query_that_finds_nothing_has_one_empty_page(table: Any) -> None:
    assert [list(page) for page in table.query_entities("RowKey eq 'none'").by_page()] == [[]]


def test_properties_are_read_as_they_were_written(table: Any) -> None:
    moment = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    table.create_entity(row("one", none=None, text="a", number=2**31 - 1, fraction=1.5, yes=True, event=b"\x00\xff"))
    table.upsert_entity(row("one", moment=moment, large=EntityProperty(2**40, EdmType.INT64)))
    found = table.get_entity("kind:group", "one")
    assert found.pop("large") == EntityProperty(2**40, EdmType.INT64)
    assert found["moment"].tzinfo == UTC
    assert type(found["moment"]) is not datetime  # a class of the client's own, which few libraries take
    assert dict(found) == row(
        "one", text="a", number=2**31 - 1, fraction=1.5, yes=True, event=b"\x00\xff", moment=moment
    )
    assert abs(found.metadata["timestamp"] - table.upsert_entity(row("two"))["date"]) < timedelta(seconds=10)


@pytest.mark.parametrize("value", [2**31, [1]], ids=["number of more than 32 bits", "list"])
def test_a_property_of_another_kind_is_not_sent(table: Any, value: object) -> None:
    with pytest.raises(TypeError):
        table.create_entity(row("one", step=value))


@pytest.mark.parametrize(("kind", "most"), [(b"x", 65_536), ("x", 32_768)], ids=["bytes", "text"])
def test_a_property_that_is_too_large_is_refused(table: Any, kind: Any, most: int) -> None:
    table.create_entity(row("one", event=kind * most))
    with pytest.raises(HttpResponseError) as refusal:
        table.create_entity(row("two", event=kind * (most + 1)))
    assert refusal.value.status_code == 400
    with pytest.raises(TableTransactionError) as refusal:
        table.submit_transaction([("create", row("two")), ("create", row("three", event=kind * (most + 1)))])
    assert refusal.value.index == 1
    assert keys(table.query_entities("PartitionKey eq 'kind:group'")) == ["one"]


def test_a_row_is_written_whether_it_was_there_or_not(table: Any) -> None:
    table.upsert_entity(row("one", step=0, live=True), mode=UpdateMode.REPLACE)
    table.upsert_entity(row("one", step=1), mode=UpdateMode.MERGE)
    assert dict(table.get_entity("kind:group", "one")) == row("one", step=1, live=True)
    etag = table.upsert_entity(row("one", step=2), mode=UpdateMode.REPLACE)["etag"]
    assert dict(table.get_entity("kind:group", "one")) == row("one", step=2)
    table.update_entity(row("one", live=False), mode=UpdateMode.MERGE, etag=etag, match_condition=UNCHANGED)
    assert dict(table.get_entity("kind:group", "one")) == row("one", step=2, live=False)


def test_a_condition_needs_an_etag(table: Any) -> None:
    table.create_entity(row("one"))
    with pytest.raises(ValueError, match="etag"):
        table.update_entity(row("one"), mode=UpdateMode.REPLACE, match_condition=UNCHANGED)


def test_a_transaction_writes_all_its_rows_and_gives_their_etags(table: Any) -> None:
    etag = table.create_entity(row("!watch", step=0))["etag"]
    gone = table.create_entity(row("open!1"))["etag"]
    table.create_entity(row("open!2"))
    responses = table.submit_transaction(
        [
            ("update", row("!watch", step=1), {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": UNCHANGED}),
            ("delete", row("open!1"), {"etag": gone, "match_condition": UNCHANGED}),
            ("create", row("owed!1", event=b"{}")),
            ("upsert", row("open!2", polls=1), {"mode": UpdateMode.MERGE}),
            ("upsert", row("open!3"), {"mode": UpdateMode.REPLACE}),
        ]
    )
    rows = list(table.query_entities("PartitionKey eq 'kind:group'"))
    assert [dict(each) for each in rows] == [
        row("!watch", step=1), row("open!2", polls=1), row("open!3"), row("owed!1", event=b"{}"),
    ]  # fmt: skip
    etags = {each["RowKey"]: each.metadata["etag"] for each in rows}
    assert responses == [
        {"etag": etags["!watch"]},
        {},
        {"etag": etags["owed!1"]},
        {"etag": etags["open!2"]},
        {"etag": etags["open!3"]},
    ]
    assert len(set(etags.values())) == 4


CONDITION = {"etag": "W/\"datetime'2026-11-20T10%3A00%3A00.0000000Z'\"", "match_condition": UNCHANGED}


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        (("create", row("there")), 409, TableErrorCode.ENTITY_ALREADY_EXISTS),
        (("update", row("there"), CONDITION), 412, TableErrorCode.UPDATE_CONDITION_NOT_SATISFIED),
        (("delete", row("there"), CONDITION), 412, TableErrorCode.UPDATE_CONDITION_NOT_SATISFIED),
        (("update", row("absent"), CONDITION), 404, TableErrorCode.RESOURCE_NOT_FOUND),
        (("delete", row("absent"), CONDITION), 404, TableErrorCode.RESOURCE_NOT_FOUND),
        (("delete", row("absent")), 404, TableErrorCode.RESOURCE_NOT_FOUND),
        (("upsert", row("first")), 400, TableErrorCode.INVALID_DUPLICATE_ROW),
    ],
)
def test_a_transaction_with_an_operation_that_is_refused_writes_nothing(
    table: Any, operation: Any, status: int, code: TableErrorCode
) -> None:
    table.create_entity(row("there", step=0))
    with pytest.raises(TableTransactionError) as refusal:
        table.submit_transaction([("upsert", row("first")), operation, ("upsert", row("last"))])
    error: Any = refusal.value
    assert (error.index, error.status_code, error.error_code) == (1, status, code)
    assert not isinstance(refusal.value, ResourceExistsError | ResourceModifiedError | ResourceNotFoundError)
    assert [dict(each) for each in table.query_entities("PartitionKey eq 'kind:group'")] == [row("there", step=0)]


def test_a_transaction_is_of_one_partition(table: Any) -> None:
    with pytest.raises(ValueError, match="Partition Keys"):
        table.submit_transaction([("create", row("one")), ("create", {"PartitionKey": "live", "RowKey": "one"})])


def test_a_transaction_has_at_most_100_operations(table: Any) -> None:
    assert len(table.submit_transaction([("create", row(f"{number:03}")) for number in range(100)])) == 100
    # Azurite's refusal is one that the client cannot read.
    with pytest.raises((HttpResponseError, BadStatusLine)):
        table.submit_transaction([("upsert", row(f"{number:03}")) for number in range(101)])


def test_a_transaction_has_at_most_4_mib(table: Any) -> None:
    table.submit_transaction([("create", row(f"{number:03}", event=b"x" * 49_152)) for number in range(60)])
    with pytest.raises(RequestTooLargeError):
        table.submit_transaction([("create", row(f"2{number:03}", event=b"x" * 49_152)) for number in range(80)])


def test_a_row_of_more_than_1_mib_is_refused_by_the_double_as_by_the_service() -> None:
    # Azurite takes it.
    with pytest.raises(HttpResponseError, match="EntityTooLarge"):
        InMemoryTable(VirtualClock()).create_entity(row("one", **{f"p{number}": b"x" * 65_536 for number in range(16)}))


def test_a_query_of_the_double_may_begin_with_empty_pages() -> None:
    # The service's may; Azurite's never does.
    table = InMemoryTable(VirtualClock())
    table.create_entity(row("one"))
    table.empty_pages = 2
    assert [keys(page) for page in table.query_entities("PartitionKey eq 'kind:group'").by_page()] == [[], [], ["one"]]


def test_a_received_message_is_invisible_until_its_time_and_then_has_another_receipt(queue: Queue) -> None:
    sent = queue.client.send_message("body")
    first = queue.client.receive_message(visibility_timeout=3)
    assert (first.id, first.content, first.dequeue_count) == (sent.id, "body", 1)
    assert queue.client.receive_message(visibility_timeout=3) is None
    queue.until_visible(3)
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


def test_a_messages_id_is_a_uuid_and_its_times_are_whole_seconds(queue: Queue) -> None:
    sent = queue.client.send_message("body")
    assert str(uuid.UUID(sent.id)) == sent.id
    received = queue.client.receive_message(visibility_timeout=600)
    assert received.inserted_on == sent.inserted_on == sent.inserted_on.replace(microsecond=0)
    assert queue.client.send_message("body").id != sent.id


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        ("x" * 65_537, {}, 413),
        ("x", {"visibility_timeout": 7 * 24 * 3600 + 1, "time_to_live": -1}, 400),
        ("x", {"visibility_timeout": 20, "time_to_live": 10}, 400),
    ],
    ids=["too large", "hidden too long", "dead before it is visible"],
)
def test_a_message_that_cannot_be_is_refused(queue: Queue, body: str, options: dict[str, int], status: int) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        queue.client.send_message(body, **options)
    assert refusal.value.status_code == status
