from datetime import UTC, datetime
from typing import Any

import pytest

from local.host.protos import TypedData
from local.host.queue_message import (
    ReceivedMessage,
    UndecodableError,
    decode_body,
    encode_body,
    is_text,
    trigger_input,
    trigger_metadata,
)
from local.host.queue_output import output_texts

MESSAGE = ReceivedMessage(
    text="my-group",
    id="message-1",
    pop_receipt="receipt-1",
    dequeue_count=3,
    inserted_on=datetime(2026, 11, 21, 10, tzinfo=UTC),
    expires_on=datetime(2026, 11, 28, 10, tzinfo=UTC),
    next_visible_on=datetime(2026, 11, 21, 10, 10, tzinfo=UTC),
)


def metadata_of(message: ReceivedMessage, body: bytes, *, binary: bool = False) -> dict[str, Any]:
    metadata = trigger_metadata(message, body, binary=binary, now=datetime(2026, 11, 21, 11, tzinfo=UTC))
    return {name: data.__dict__ for name, data in metadata.items()}


def test_under_none_a_body_is_the_text() -> None:
    assert decode_body("grün", "none") == "grün".encode()
    assert encode_body("grün".encode(), "none") == "grün"


def test_under_base64_a_body_is_decoded() -> None:
    assert decode_body("Z3LDvG4=", "base64") == "grün".encode()
    assert encode_body("grün".encode(), "base64") == "Z3LDvG4="


def test_white_space_in_base64_is_ignored() -> None:
    assert decode_body(" Z3LD\r\nvG\t4=\n", "base64") == "grün".encode()


@pytest.mark.parametrize("text", ["my-group", "Z3LDvG4", '{"groupId": "a"}', "Z3\u00a0LDvG4=", "grün", "YQ==YQ=="])
def test_under_base64_any_other_text_is_undecodable(text: str) -> None:
    with pytest.raises(UndecodableError, match="messageEncoding"):
        decode_body(text, "base64")


def test_the_input_is_bytes_or_a_string_as_the_trigger_is_bound() -> None:
    assert trigger_input(b"a", binary=True).__dict__ == {"bytes": b"a"}
    assert trigger_input(b"a", binary=False).__dict__ == {"string": "a"}


def test_only_utf8_can_be_bound_as_a_string() -> None:
    assert is_text("grün".encode())
    assert not is_text(b"gr\xfcn")


def test_the_metadata_tells_all_of_the_message() -> None:
    assert metadata_of(MESSAGE, b"my-group") == {
        "QueueTrigger": {"string": "my-group"},
        "Id": {"string": "message-1"},
        "PopReceipt": {"string": "receipt-1"},
        "DequeueCount": {"json": "3"},
        "InsertionTime": {"json": '"2026-11-21T10:00:00+00:00"'},
        "ExpirationTime": {"json": '"2026-11-28T10:00:00+00:00"'},
        "NextVisibleTime": {"json": '"2026-11-21T10:10:00+00:00"'},
    }


def test_a_message_of_the_admin_address_has_no_id_and_comes_now() -> None:
    assert metadata_of(ReceivedMessage(text="a"), b"a") == {
        "QueueTrigger": {"string": "a"},
        "DequeueCount": {"json": "0"},
        "InsertionTime": {"json": '"2026-11-21T11:00:00+00:00"'},
        "ExpirationTime": {"json": '"9999-12-31T23:59:59.9999999+00:00"'},
        "NextVisibleTime": {"json": '"9999-12-31T23:59:59.9999999+00:00"'},
    }


def test_a_json_body_bound_as_a_string_overrides_the_metadata() -> None:
    assert metadata_of(MESSAGE, b'{"id": "own"}')["Id"] == {"string": "own"}


def test_a_json_body_bound_as_bytes_is_left_alone() -> None:
    assert metadata_of(MESSAGE, b'{"id": "own"}', binary=True)["Id"] == {"string": "message-1"}


@pytest.mark.parametrize(
    ("output", "texts"),
    [
        (TypedData(string="a"), ["a"]),
        (TypedData(bytes=b"a"), ["a"]),
        (TypedData(json='["a", {"b": 1}]'), ["a", '{"b": 1}']),
        (TypedData(json='{"b": 1}'), ['{"b": 1}']),
    ],
)
def test_an_output_makes_a_message_for_each_item(output: TypedData, texts: list[str]) -> None:
    assert output_texts(output, "none") == texts


def test_an_output_is_encoded_as_the_triggers_are() -> None:
    assert output_texts(TypedData(string="grün"), "base64") == ["Z3LDvG4="]
