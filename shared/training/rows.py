"""Turn records into table rows and back; each row's key says what it is.

Partition ``<kind>:<groupId>`` holds ``!watch``, ``open!<requestId>``, ``owed!<requestId>`` and ``told!<reversed ID>``.
Partition ``live`` holds one row a group that has something open or owed. Partitions ``ended:<day>`` list what ended.
Partition ``topic`` holds the events without a record that the Event Grid topic has not taken yet, by their IDs.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.face.models import cut_texts
from shared.face.timestamps import format_utc, parse_instant
from shared.training.events import is_event
from shared.training.messages import Group, read_group
from shared.training.record import RequestRecord, Watch

WATCH_ROW = "!watch"
OPEN, OWED, TOLD = "open!", "owed!", "told!"
LIVE = "live"
ENDED = "ended:"
TOPIC = "topic"

type Row = dict[str, Any]

_REQUEST_ID = re.compile(r"(\d{8})T(\d{6})(Z-[0-9A-Za-z-]{1,64})", re.ASCII)
_COMPLEMENTS = str.maketrans("0123456789", "9876543210")
# Table properties hold plain values; these are kept as JSON text.
_NESTED = ("claim", "training", "pastDurations")
# A later moment is not the app's, and beyond the last one that there is nothing can be added.
_END_OF_TIME = datetime(2200, 1, 1, tzinfo=UTC)


class EndedKey(msgspec.Struct, frozen=True):
    """The key of a row in a day's index, ``<time>!<kind>!<groupId>!<requestId>``."""

    time: str  # RFC 3339, UTC
    group: Group | None  # ``None`` of a body that was not a request
    request_id: str  # of such a body: its event's ID


def partition_of(group: Group) -> str:
    """Return the partition of all rows of a group."""
    return f"{group.kind.value}:{group.group_id}"


def group_of(partition: str) -> Group:
    """Return the group of a partition; raise ``ValueError`` where it is not a group's."""
    kind, _, group_id = partition.partition(":")
    return read_group(kind, group_id)


def is_request_id(text: str) -> bool:
    """Return whether a text has the form of a request's ID."""
    return _REQUEST_ID.fullmatch(text) is not None


def day_partition(moment: datetime) -> str:
    """Return the partition that lists what ended on the day of a moment in UTC."""
    return f"{ENDED}{moment:%Y-%m-%d}"


def ended_key(ended_at: datetime, group: Group | None, request_id: str) -> str:
    """Return the row key of what ended then; without a group, of a body that was not a request."""
    kind, group_id = ("", "") if group is None else (group.kind.value, group.group_id)
    return f"{format_utc(ended_at)}!{kind}!{group_id}!{request_id}"


def read_ended_key(key: str) -> EndedKey:
    """Return what the key of a row in a day's index says; a key of another form has no group."""
    time, kind, group_id, request_id = (key.split("!", 3) + [""] * 3)[:4]
    try:
        group = group_of(f"{kind}:{group_id}")
    except ValueError:
        group = None
    return EndedKey(time, group, request_id)


def told_key(request_id: str) -> str:
    """Return the row key of a request that was told: with its time's digits complemented, the newest comes first."""
    parts = _REQUEST_ID.fullmatch(request_id)
    if parts is None:
        return TOLD + request_id
    day, time, rest = parts.groups()
    return f"{TOLD}{day.translate(_COMPLEMENTS)}T{time.translate(_COMPLEMENTS)}{rest}"


def watch_row(group: Group, watch: Watch) -> Row:
    """Return the row of a watch."""
    row = _row(partition_of(group), WATCH_ROW, watch)
    # Whoever reads the table in a portal should see these whatever they are.
    row["live"], row["step"], row["last"] = watch.live, watch.step, watch.last.value
    return row


def request_row(group: Group, record: RequestRecord, state: str) -> Row:
    """Return the row of a request in the state ``OPEN``, ``OWED`` or ``TOLD``."""
    return _row(partition_of(group), request_key(record.request_id, state), record)


def request_key(request_id: str, state: str) -> str:
    """Return the row key of a request in the state ``OPEN``, ``OWED`` or ``TOLD``."""
    return told_key(request_id) if state == TOLD else state + request_id


def read_watch(row: Mapping[str, Any]) -> Watch:
    """Return the watch of a row; raise ``ValueError`` where it cannot be read."""
    if "live" not in row or "step" not in row:
        raise ValueError("the row lacks live or step, which every watch has")
    watch = msgspec.convert(_fields(row), Watch)
    if watch.claim is not None and watch.claim.at > _END_OF_TIME:
        raise ValueError("the claim is of a time that the app does not write")
    return watch if watch.training is None else msgspec.structs.replace(watch, training=cut_texts(watch.training))


def read_request(row: Mapping[str, Any]) -> RequestRecord:
    """Return the request of a row; raise ``ValueError`` where it cannot be read."""
    record = msgspec.convert(_fields(row), RequestRecord, builtin_types=(bytes, datetime))
    if row["RowKey"] not in [request_key(record.request_id, state) for state in (OPEN, OWED, TOLD)]:
        raise ValueError("the row's key is of another request; expected that of its requestId")
    if record.inserted_at.replace(microsecond=0) != inserted_at(record.request_id):
        raise ValueError("insertedAt is not the time in the request's ID")
    if record.trained_after is not None:
        parse_instant(record.trained_after)
    if record.event is not None and not is_event(record.event, record.request_id):
        raise ValueError("the event is not one that the app makes of this request")
    return record


def unreadable_request(row: Mapping[str, Any]) -> RequestRecord:
    """Return what is left of an open request whose row cannot be read."""
    request_id = str(row["RowKey"]).partition("!")[2]
    return RequestRecord(request_id=request_id, inserted_at=inserted_at(request_id), unreadable=True, etag=_etag(row))


def inserted_at(request_id: str) -> datetime:
    """Return when the queue took a request's message, to the second, UTC; the year 1970 where its ID does not say."""
    try:
        return datetime.strptime(request_id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _row(partition: str, row_key: str, record: Watch | RequestRecord) -> Row:
    row: Row = msgspec.to_builtins(record, builtin_types=(datetime, bytes))
    row.pop("etag", None)
    for name in _NESTED:
        if name in row:
            row[name] = msgspec.json.encode(row[name]).decode()
    return {**row, "PartitionKey": partition, "RowKey": row_key}


def _fields(row: Mapping[str, Any]) -> Row:
    fields = {name: _plain(value) for name, value in row.items()}
    for name in _NESTED:
        if name in fields:
            fields[name] = _decoded(fields[name])
    fields["etag"] = _etag(row)
    return fields


def _decoded(text: Any) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _plain(value: Any) -> Any:
    # The SDK reads times as a kind of its own, which msgspec does not take.
    if isinstance(value, datetime):
        if value > _END_OF_TIME:
            raise ValueError("a time is later than any that the app writes")
        return datetime.combine(value.date(), value.timetz())
    return value


def _etag(row: Any) -> str:
    return str(row.metadata["etag"])
