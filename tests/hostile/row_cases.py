"""Rows that somebody else has written: each stored record with each field of a wrong type, missing, and huge."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import msgspec
from azure.data.tables import EdmType, EntityProperty

from shared.budget.row import BudgetRow
from shared.face.models import Training
from shared.training import events, rows
from shared.training.decide import End
from shared.training.messages import FollowUp, Group
from shared.training.record import Claim, Last, Outcome, RequestRecord, Watch
from tests.hostile.limited import SECRET, Case
from tests.hostile.watches import KIND, Watches
from tests.support.builders import START, TRACEPARENT, request, response
from tests.support.doubles.service import ENDPOINT

ATTACKED, OTHER = Group(KIND, f"attacked-{SECRET}"), Group(KIND, f"other-{SECRET}")
TRAINING_SECONDS = 100.0
HUGE = "x" * 32_000
LIVING, OWED, TOLD, OLD = range(4)

VALUES: dict[str, Any] = {
    "missing": None,
    "a number": 7,
    "below nothing": -1,
    "the largest number": 2**31 - 1,
    "the smallest number": -(2**31),
    "a larger number": EntityProperty(2**62, EdmType.INT64),
    "a fraction": 1.5,
    "a huge fraction": 1e308,
    "infinite": float("inf"),
    "not a number": float("nan"),
    "yes": True,
    "no": False,
    "empty": "",
    "a text": SECRET,
    "a long text": SECRET + HUGE,
    "bytes": SECRET.encode(),
    "bytes that are no text": b"\x00\xff" * 20_000,
    "JSON as bytes": json.dumps({"id": SECRET, "x": "<" * 40_000}).encode(),
    "nested bytes": b"[" * 60_000,
    "the first time": datetime(1601, 1, 1, tzinfo=UTC),
    "the last time": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "a time to come": START + timedelta(days=400),
    "JSON of another form": json.dumps([SECRET]),
    "JSON of nothing": "null",
    "JSON without an end": "{",
    "nested JSON": "[" * 30_000,
    "a number that is too large": '{"status": 1e999}',
    "long words": json.dumps({"status": HUGE[:20_000], "message": SECRET}),
    "a claim of the future": json.dumps({"standing": None, "at": "9999-12-31T23:59:59Z"}),
    "a claim without an offset": json.dumps({"standing": SECRET, "at": "2026-11-20T10:00:00"}),
    "huge durations": json.dumps([1e300, 0.0, -5.0]),
    "many durations": json.dumps([1.0] * 6_000),
}


def id_of(group: Group, number: int) -> str:
    """Return the ID of one of a group's requests."""
    return request(number + 10 * (group is OTHER)).request_id


def world() -> Watches:
    """Return a process with two groups, and of each a record in which every field has a value."""
    made = Watches()
    for group in (ATTACKED, OTHER):
        made.service.begin(group.group_id, TRAINING_SECONDS)
        for row in record_of(group):
            made.plant(row["PartitionKey"], row["RowKey"], row)
        made.queue.send_message(FollowUp(group=group, step=3).body, visibility_timeout=10)
    made.jobs.caretaker.run()  # writes the budget's row
    return made


def record_of(group: Group) -> list[rows.Row]:
    """Return all rows of a group: under way, with something open, owed and told."""
    created = "2026-11-20T10:00:00.0000000Z"
    watch = Watch(
        live=True,
        step=3,
        step_token="token",
        next_poll_at=START + timedelta(seconds=10),
        last=Last.RUNNING,
        polls=3,
        troubles=1,
        training=Training("running", created),
        first_poll_at=START,
        seen_at=START,
        called_at=START,
        claim=Claim(None, START - timedelta(hours=1)),
        slot=START,
        paid_calls=1,
        past_durations=(90.0, 110.0),
        learned=created,
    )
    demands: dict[str, Any] = {"correlation_id": "order 7", "traceparent": TRACEPARENT, "polls_before": 1}
    living, *ended = (
        RequestRecord(request_id=id_of(group, number), inserted_at=START, **demands)
        for number in (LIVING, OWED, TOLD, OLD)
    )
    living = msgspec.structs.replace(living, trained_after=created)
    owed, told, old = (
        events.ended(
            group,
            each,
            End(Outcome.SUCCEEDED),
            events.Seen(at=START - timedelta(days=days), polls=1, training=response("succeeded").training),
            source=ENDPOINT,
        )
        for each, days in zip(ended, (0, 0, 40), strict=True)
    )
    return [
        rows.watch_row(group, watch),
        rows.request_row(group, living, rows.OPEN),
        rows.request_row(group, owed, rows.OWED),
        rows.request_row(group, told, rows.TOLD),
        rows.request_row(group, old, rows.TOLD),
        *(_day_row(group, each) for each in (told, old)),
        {"PartitionKey": rows.LIVE, "RowKey": rows.partition_of(group), "nextPollAt": START, "weight": 0.1},
    ]


def _day_row(group: Group, record: RequestRecord) -> rows.Row:
    assert record.ended_at is not None
    key = rows.ended_key(record.ended_at, group, record.request_id)
    return {"PartitionKey": rows.day_partition(record.ended_at), "RowKey": key, "outcome": "succeeded"}


def bear(plant: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Let somebody write rows, and see that all others are served, and the group's next request, too."""
    made = world()
    for (partition, row_key), properties in plant.items():
        made.plant(partition, row_key, properties)
    made.look(ATTACKED, id_of(ATTACKED, LIVING))
    told = made.run(6, *(id_of(group, number) for group in (ATTACKED, OTHER) for number in (LIVING, OWED)))
    made.look(ATTACKED, id_of(ATTACKED, OWED))
    assert told[id_of(OTHER, LIVING)] == told[id_of(OTHER, OWED)] == "succeeded", told
    assert told[id_of(ATTACKED, LIVING)] in ("succeeded", "abandoned"), told
    if not any(row_key.startswith(rows.OWED) for _, row_key in plant):
        assert told[id_of(ATTACKED, OWED)] == "succeeded", told
    made.service.begin(ATTACKED.group_id, 0)
    asked = [made.ask(group) for group in (ATTACKED, OTHER)]
    outcomes = made.run(12, *asked)
    assert [outcomes.get(each) for each in asked] == ["succeeded", "succeeded"], outcomes
    assert not made.bodies()
    assert not made.poison.messages


def _field_cases() -> Iterator[Case]:
    known = {(row["PartitionKey"], row["RowKey"]): row for row, _ in world().table.rows}
    for (partition, row_key), row in known.items():
        if OTHER.group_id in partition + row_key or row_key == rows.told_key(id_of(ATTACKED, OLD)):
            continue
        for number, field in enumerate(_fields(partition, row_key, row)):
            share = _share(row_key, field)
            for name, value in islice(VALUES.items(), number % share, None, share):
                plant = {(partition, row_key): {**row, field: value}}
                yield Case(f"{_place(partition, row_key)}: {field} is {name}", partial(bear, plant))


def _share(row_key: str, field: str) -> int:
    """Return which share of the values is tried: each field has its turn with others, and some read alike."""
    if row_key == rows.WATCH_ROW or field in ("event", "nextPollAt", "weight"):
        return 1
    return 8 if row_key.startswith((rows.OWED, rows.TOLD)) or field == "unknown" else 3


FOREIGN: list[tuple[str, str]] = [
    (rows.LIVE, SECRET),
    (rows.LIVE, "largePersonGroup:"),
    (rows.LIVE, f"largePersonGroup:{SECRET} !"),
    (rows.LIVE, f"largePersonGroup:{'x' * 400}"),
    (rows.LIVE, f"dynamicPersonGroup:{SECRET}"),
    (rows.partition_of(ATTACKED), f"!{SECRET}"),
    (rows.partition_of(ATTACKED), rows.OPEN),
    (rows.partition_of(ATTACKED), rows.OPEN + SECRET),
    (rows.partition_of(ATTACKED), f"{rows.OPEN}99991231T235959Z-{SECRET}"),
    (rows.partition_of(ATTACKED), f"{rows.OPEN}{'x' * 400}"),
    (rows.partition_of(ATTACKED), rows.OWED),
    (rows.partition_of(ATTACKED), rows.OWED + SECRET),
    (rows.partition_of(ATTACKED), rows.TOLD),
    (rows.partition_of(ATTACKED), rows.TOLD + SECRET),
    (rows.day_partition(START), SECRET),
    (rows.day_partition(START), f"{SECRET}!personGroup!{SECRET}!{SECRET}"),
    (rows.ENDED, SECRET),
    (f"{rows.ENDED}2026-01-01", SECRET),
    (f"{rows.ENDED}2026-01-01", f"2026!personGroup!{SECRET} !{SECRET}"),
    (f"{rows.ENDED}2026-01-01", f"2026!personGroup!a!{SECRET}"),
    (f"{rows.ENDED}{SECRET}", SECRET),
    (rows.TOPIC, SECRET),
]
"""Partitions and keys of rows that the app writes nowhere."""


def _row_cases() -> Iterator[Case]:
    large = {f"field{number}": SECRET + HUGE[:30_000] for number in range(12)}
    contents: dict[str, dict[str, Any]] = {
        "nothing": {},
        "texts": dict.fromkeys(("live", "step", "requestId", "event", "outcome", "nextPollAt", "weight"), SECRET),
        "all that a row may hold": large,
    }
    for partition, row_key in FOREIGN:
        for name, content in contents.items():
            plant = {(partition, row_key): content}
            yield Case(f"{partition[:40]}, {row_key[:40]}: {name}", partial(bear, plant))
    known = {(row["PartitionKey"], row["RowKey"]) for row, _ in world().table.rows if row["RowKey"] != rows.WATCH_ROW}
    for key in known:
        if OTHER.group_id not in "".join(key):
            for name, content in contents.items():
                yield Case(f"{_place(*key)}: {name} at all", partial(bear, {key: content}))


def _fields(partition: str, row_key: str, row: Mapping[str, Any]) -> list[str]:
    form: Any = None
    if row_key == rows.WATCH_ROW:
        form = Watch
    elif row_key.startswith((rows.OPEN, rows.OWED, rows.TOLD)):
        form = RequestRecord
    elif partition == "budget":
        form = BudgetRow
    known = [] if form is None else [each.encode_name for each in msgspec.structs.fields(form) if each.name != "etag"]
    return sorted({*known, *row, "unknown"} - {"PartitionKey", "RowKey"})


def _place(partition: str, row_key: str) -> str:
    kind = row_key.partition("!")[0] + "!" if "!" in row_key else ""
    return {"live": "live", "budget": "budget"}.get(partition, partition.partition("largeP")[0] + kind[-6:])


CASES = [*_field_cases(), *_row_cases()]
