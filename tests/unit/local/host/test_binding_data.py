from typing import Any

import pytest

from local.host.binding_data import apply_binding_data
from local.host.protos import TypedData


def applied(body: str, **metadata: str) -> dict[str, Any]:
    merged = apply_binding_data({name: TypedData(string=value) for name, value in metadata.items()}, body)
    return {name: data.__dict__ for name, data in merged.items()}


def test_properties_of_a_json_body_are_added_as_text() -> None:
    assert applied('{"a": "x", "b": 5, "c": 1.5, "d": true}') == {
        "a": {"string": "x"},
        "b": {"string": "5"},
        "c": {"string": "1.5"},
        "d": {"string": "True"},
    }


def test_they_win_over_the_metadata_whatever_their_case() -> None:
    assert applied('{"dequeuecount": "many", "ID": "own"}', DequeueCount="1", Id="message") == {
        "DequeueCount": {"string": "many"},
        "Id": {"string": "own"},
    }


def test_arrays_and_nulls_are_left_out() -> None:
    assert applied('{"Id": null, "DequeueCount": [1]}', Id="message") == {"Id": {"string": "message"}}


def test_a_nested_object_is_added_as_json() -> None:
    assert applied('{"a": {"b": [1]}}') == {"a": {"json": '{"b": [1]}'}}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-01-31T10:00:00Z", "01/31/2026 10:00:00"),
        ("2026-01-31T10:00:00", "01/31/2026 10:00:00"),
        ("2026-01-31T10:00:00.1234567Z", "01/31/2026 10:00:00"),
        ("2026-01-31", "2026-01-31"),
        ("2026-13-31T10:00:00Z", "2026-13-31T10:00:00Z"),
        ("on 2026-01-31T10:00:00Z", "on 2026-01-31T10:00:00Z"),
    ],
)
def test_an_iso_date_changes_its_form(written: str, shown: str) -> None:
    assert applied(f'{{"insertionTime": "{written}"}}', InsertionTime="now") == {"InsertionTime": {"string": shown}}


@pytest.mark.parametrize("body", ["", "my-group", "[1]", '"text"', "5", '{"a": ', "[" * 100_000])
def test_a_body_that_is_no_json_object_adds_nothing(body: str) -> None:
    assert applied(body, Id="message") == {"Id": {"string": "message"}}
