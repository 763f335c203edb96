import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.models import (
    MAX_MESSAGE_CHARS,
    GroupKind,
    Training,
    decode_training,
)
from shared.face.timestamps import parse_instant
from tests.support.face_contract import DATA, read_recording

RECORDED = [
    json.dumps(entry["body"]).encode()
    for name in (
        "v1.0-preview_persongroup_training",
        "v1.2-preview.1_largepersongroup_training",
        "v1.2-preview.1_persongroup_training",
    )
    for entry in read_recording(name)
    if entry["status"] == 200
]
EXAMPLES = sorted((DATA / "openapi/examples").glob("*TrainingStatus.json"))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (GroupKind.PERSON_GROUP, "persongroups"),
        (GroupKind.LARGE_PERSON_GROUP, "largepersongroups"),
        (GroupKind.LARGE_FACE_LIST, "largefacelists"),
    ],
)
def test_a_kind_has_the_path_of_the_service(kind: GroupKind, path: str) -> None:
    assert kind.path == path


@pytest.mark.parametrize("body", RECORDED)
def test_every_recorded_status_is_read_and_loses_no_field(body: bytes) -> None:
    training = decode_training(body)
    assert msgspec.to_builtins(training) == json.loads(body)
    assert training.created == parse_instant(json.loads(body)["createdDateTime"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_documents_examples_with_their_nulls_are_read(example: Any) -> None:
    body = json.loads(example.read_text())["responses"]["200"]["body"]
    training = decode_training(json.dumps(body).encode())
    assert (training.status, training.message) == ("notStarted", None)


@pytest.mark.parametrize(
    ("status", "succeeded", "failed"),
    [
        ("succeeded", True, False),
        ("Succeeded", True, False),
        ("SUCCEEDED", True, False),
        ("failed", False, True),
        ("Failed", False, True),
        ("running", False, False),
        ("notStarted", False, False),
        ("notstarted", False, False),
        ("nonstarted", False, False),
        ("paused", False, False),
        ("", False, False),
        (" succeeded", False, False),
    ],
)
def test_a_status_is_matched_in_any_case_and_an_unknown_one_is_not_an_end(
    status: str, succeeded: bool, failed: bool
) -> None:
    training = Training(status)
    assert (training.succeeded, training.failed, training.ended) == (succeeded, failed, succeeded or failed)


@pytest.mark.parametrize(
    ("status", "documented"),
    [("NotStarted", "notStarted"), ("nonstarted", "notStarted"), ("Running", "running"), ("a secret name", None)],
)
def test_only_a_documented_status_may_be_logged(status: str, documented: str | None) -> None:
    assert Training(status).documented_status == documented


def test_unknown_fields_are_ignored() -> None:
    assert decode_training(b'{"status": "running", "percentage": {"done": 4}}') == Training("running")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"succeeded"',
        b"{}",
        b'{"status": null}',
        b'{"status": 1}',
        b'{"status": "running"',
        b'{"status": "running"} x',
        b'{"status": "\\ud800"}',
        b'{"status": "running\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"error": {"code": "InternalServerError", "message": "broken"}}',
        b'{"status": "running", "createdDateTime": 5}',
        b"<html></html>",
    ],
)
def test_a_body_of_another_schema_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_training(body)


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda found: json.dumps(found).encode()
    )
)
def test_no_body_raises_anything_but_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        decode_training(body)


def test_long_texts_are_cut_and_marked() -> None:
    body = json.dumps({"status": "x" * 101, "lastActionDateTime": "1" * 100, "message": "long " * 1_000}).encode()
    training = decode_training(body)
    assert training.message == ("long " * 1_000)[: MAX_MESSAGE_CHARS - 1] + "…"
    assert (training.status, training.last_action_date_time) == ("x" * 99 + "…", "1" * 100)


@pytest.mark.parametrize(
    "text",
    [None, "", "yesterday", "1/3/2017 4:11:35 AM", "2024-09-03T15:55:58.8061602", "2024-09-03T15:55:58." + "1" * 200],
)
@pytest.mark.parametrize("status", ["running", "succeeded", "failed"])
def test_a_time_in_no_known_form_is_unknown(status: str, text: str | None) -> None:
    times = dict.fromkeys(("createdDateTime", "lastActionDateTime", "lastSuccessfulTrainingDateTime"), text)
    training = decode_training(json.dumps({"status": status, **times}).encode())
    assert (training.status, training.created, training.ended_at) == (status, None, None)


@pytest.mark.parametrize(
    ("status", "ended_at"),
    [("succeeded", "2024-09-03T15:56:00Z"), ("failed", "2024-09-03T15:57:00Z"), ("running", None)],
)
def test_the_end_is_the_last_success_or_the_last_action_of_a_failure(status: str, ended_at: str | None) -> None:
    training = Training(
        status,
        last_action_date_time="2024-09-03T15:57:00Z",
        last_successful_training_date_time="2024-09-03T15:56:00Z",
    )
    assert training.ended_at == (parse_instant(ended_at) if ended_at else None)
