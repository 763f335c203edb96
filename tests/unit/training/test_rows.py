import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.data.tables import TableEntity
from hypothesis import given
from hypothesis import strategies as st

from shared.face.models import GroupKind, Training
from shared.training import rows
from shared.training.messages import Group
from shared.training.record import Claim, Last, Outcome, RequestRecord, Watch
from shared.training.rows import OPEN, OWED, TOLD
from tests.support.builders import GROUP, REQUEST_ID, START, TRACEPARENT, request, watch

ODD = "\N{GRINNING FACE} ä \u0000 \u000b \ufffe ' \" \\ <&> \r\n"
MOMENT = START + timedelta(microseconds=123_456)

FULL_WATCH = Watch(
    live=True,
    step=2**30,
    step_token="4f5d",
    next_poll_at=MOMENT + timedelta(days=7),
    last=Last.RUNNING,
    polls=7,
    troubles=3,
    training=Training(ODD, "2026-11-20T10:00:00.1234567Z", "b", "c", "d", ODD),
    first_poll_at=MOMENT,
    seen_at=MOMENT,
    known_at=MOMENT,
    called_at=MOMENT,
    claim=Claim("2026-11-20T10:00:00.1234567Z", MOMENT),
    slot=MOMENT,
    paid_calls=2,
    past_durations=(0.25, 1e9),
    learned="2026-11-20T10:00:00.1234567Z",
    etag="1",
)
FULL_REQUEST = RequestRecord(
    request_id=REQUEST_ID,
    inserted_at=MOMENT,
    trained_after="2026-11-20T12:00:00.1234567890123+02:00",
    train=True,
    correlation_id=ODD,
    traceparent=TRACEPARENT,
    other_reading=True,
    polls_before=5,
    noted=True,
    noted_created="2026-11-20T10:00:00.1234567Z",
    unreadable=True,
    outcome=Outcome.TIMED_OUT,
    ended_at=MOMENT,
    event=b'{"id":"%s"}' % REQUEST_ID.encode(),
    queued=True,
    etag="1",
)


def as_read(row: dict[str, Any]) -> TableEntity:
    """Return a row as the table's client hands it over."""
    entity = TableEntity(row)
    entity._metadata = {"etag": "1", "timestamp": None}  # noqa: SLF001 - the client sets it so too
    return entity


@pytest.mark.parametrize("full", [FULL_WATCH, FULL_REQUEST], ids=["watch", "request"])
def test_every_field_is_tried(full: Watch | RequestRecord) -> None:
    for field in msgspec.structs.fields(full):
        assert getattr(full, field.name) != field.default, f"{field.name} is at its default"


@pytest.mark.parametrize("record", [FULL_WATCH, watch(etag="1"), Watch(etag="1")], ids=["full", "new", "ended"])
def test_a_watch_is_read_as_it_was_written(record: Watch) -> None:
    assert rows.read_watch(as_read(rows.watch_row(GROUP, record))) == record


@pytest.mark.parametrize("state", [OPEN, OWED, TOLD])
@pytest.mark.parametrize("record", [FULL_REQUEST, request(etag="1")], ids=["full", "new"])
def test_a_request_is_read_as_it_was_written(record: RequestRecord, state: str) -> None:
    assert rows.read_request(as_read(rows.request_row(GROUP, record, state))) == record


def test_rows_are_named_for_what_they_are() -> None:
    row = rows.watch_row(GROUP, watch(step=3, last=Last.ENDED))
    assert (row["PartitionKey"], row["RowKey"]) == ("largePersonGroup:my-group", "!watch")
    assert (row["live"], row["step"], row["last"]) == (True, 3, "ended")
    keys = [rows.request_row(GROUP, request(), state)["RowKey"] for state in (OPEN, OWED, TOLD)]
    told = f"told!79738879T899999Z-{REQUEST_ID.partition('-')[2]}"
    assert keys == [f"open!{REQUEST_ID}", f"owed!{REQUEST_ID}", told]
    assert sorted(["!watch", *keys]) == ["!watch", *keys]


def test_one_query_below_told_finds_all_but_what_was_told() -> None:
    keys = ["!watch", *(rows.request_key(REQUEST_ID, state) for state in (OPEN, OWED, TOLD))]
    assert [key for key in keys if key < "told"] == keys[:3]


def test_values_that_a_table_cannot_hold_are_json_and_what_is_unknown_has_no_property() -> None:
    row = rows.watch_row(GROUP, FULL_WATCH)
    assert json.loads(row["pastDurations"]) == [0.25, 1e9]
    assert json.loads(row["claim"])["standing"] == "2026-11-20T10:00:00.1234567Z"
    assert json.loads(row["training"])["status"] == ODD
    assert set(rows.watch_row(GROUP, Watch())) == {"PartitionKey", "RowKey", "live", "step", "last"}
    assert "etag" not in row


REQUEST_IDS = st.builds(
    lambda moment, message_id: f"{moment:%Y%m%dT%H%M%SZ}-{message_id}",
    st.datetimes(min_value=datetime(1601, 1, 1), max_value=datetime(9999, 1, 1)),  # noqa: DTZ001 - bounds are naive
    st.text("0123456789abcdefABCDEF-", min_size=1, max_size=64),
)


@given(REQUEST_IDS, REQUEST_IDS)
def test_the_keys_of_what_was_told_order_the_newest_first(one: str, other: str) -> None:
    if one[:16] < other[:16]:
        assert rows.told_key(one) > rows.told_key(other)
    assert (rows.told_key(one) == rows.told_key(other)) is (one == other)


@given(st.builds(Group, st.sampled_from(list(GroupKind)), st.text("abc019-_", min_size=1, max_size=64)))
def test_a_partition_names_its_group(group: Group) -> None:
    assert rows.group_of(rows.partition_of(group)) == group


@pytest.mark.parametrize(
    "partition",
    ["live", "budget", "ended:2026-11-20", "", "dynamicPersonGroup:a", "personGroup:", "personGroup:../a"],
)
def test_other_partitions_are_not_a_groups(partition: str) -> None:
    with pytest.raises(ValueError, match="is not a "):
        rows.group_of(partition)


DAMAGES: list[dict[str, Any]] = [
    {"requestId": 7},
    {"requestId": "20261120T100000Z-another"},
    {"insertedAt": "yesterday"},
    {"insertedAt": None},
    {"train": "yes"},
    {"trainedAfter": "yesterday"},
    {"correlationId": 7},
    {"pollsBefore": "many"},
    {"outcome": "won"},
    {"event": 7},
    {"event": b"{}"},
    {"event": b'{"id":"%s","x":"<"}' % REQUEST_ID.encode()},
    {"event": b'{"id":"%s","x":"\xc3\xa4"}' % REQUEST_ID.encode()},
    {"event": b'{"id":"%s","x":%s' % (REQUEST_ID.encode(), b"[" * 40_000)},
    {"event": b'{"id":"%s"}' % REQUEST_ID.encode() + b" " * 50_000},
    {"correlationId": "x" * 257},
    {"traceparent": f"{TRACEPARENT}-and more"},
    {"traceparent": f"{TRACEPARENT}\n"},
    {"insertedAt": MOMENT + timedelta(seconds=1)},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_of_a_damaged_request_its_id_is_left(damage: dict[str, Any]) -> None:
    row = as_read({**rows.request_row(GROUP, FULL_REQUEST, OPEN), **damage})
    with pytest.raises((ValueError, TypeError)):
        rows.read_request(row)
    left = rows.unreadable_request(row)
    assert (left.request_id, left.inserted_at, left.unreadable, left.etag) == (REQUEST_ID, START, True, "1")


@pytest.mark.parametrize(
    "damage",
    [
        {"step": "one"},
        {"step": None},
        {"step": -1},
        {"step": 2**30 + 1},
        {"polls": 2**30 + 1},
        {"paidCalls": 3},
        {"nextPollAt": START.replace(year=9999)},
        {"learned": "x" * 101},
        {"pastDurations": "[0.0]"},
        {"pastDurations": "[1e10]"},
        {"pastDurations": json.dumps([1.0] * 17)},
        {"claim": '{"standing": null, "at": "9999-12-31T00:00:00Z"}'},
        {"claim": "[" * 30_000},
        {"live": 1},
        {"last": "won"},
        {"nextPollAt": "soon"},
        {"training": "{"},
        {"training": 7},
        {"training": "[]"},
        {"claim": '{"at": 1}'},
        {"pastDurations": '["long"]'},
        {"slot": 1.5},
    ],
    ids=str,
)
def test_a_damaged_watch_is_not_taken_for_one(damage: dict[str, Any]) -> None:
    damaged = {**rows.watch_row(GROUP, FULL_WATCH), **damage}
    row = as_read({name: value for name, value in damaged.items() if value is not None})
    with pytest.raises((ValueError, TypeError)):
        rows.read_watch(row)


@pytest.mark.parametrize("request_id", ["", "x", "20261320T100000Z-a"])
def test_an_id_that_names_no_moment_counts_as_very_old(request_id: str) -> None:
    assert rows.inserted_at(request_id) == datetime(1970, 1, 1, tzinfo=UTC)
