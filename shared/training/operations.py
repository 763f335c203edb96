"""The operations of a group's transactions: each change of state deletes one row and inserts the next."""

from collections.abc import Sequence
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.training import rows
from shared.training.messages import Group
from shared.training.record import RequestRecord, Watch
from shared.training.rows import OPEN, OWED, TOLD, Row

type Operation = tuple[str, Row] | tuple[str, Row, dict[str, Any]]


def write(
    group: Group,
    watch: Watch,
    joins: Sequence[RequestRecord],
    changes: Sequence[RequestRecord],
    ends: Sequence[RequestRecord],
) -> list[Operation]:
    """Return what writes a watch and its requests: ``joins`` come as open, ``changes`` replace, ``ends`` turn owed."""
    return [
        _write_watch(group, watch),
        *(("create", rows.request_row(group, each, OPEN)) for each in joins),
        *(_on_etag("update", rows.request_row(group, each, OPEN), each.etag) for each in changes),
        *(("create", rows.request_row(group, each, OWED)) for each in ends),
        *(_on_etag("delete", _keys(group, each, OPEN), each.etag) for each in ends if each.etag is not None),
    ]


def move_to_told(group: Group, owed: RequestRecord) -> list[Operation]:
    """Return what moves an owed request to ``told``."""
    return [
        # Whatever its ETag: somebody may have marked it as queued meanwhile.
        ("delete", _keys(group, owed, OWED)),
        ("upsert", rows.request_row(group, owed, TOLD)),
    ]


def mark_as_queued(group: Group, owed: RequestRecord) -> Operation:
    """Return what marks an owed request: the queue has taken its event, the topic has not."""
    return _on_etag("update", rows.request_row(group, msgspec.structs.replace(owed, queued=True), OWED), owed.etag)


def _write_watch(group: Group, watch: Watch) -> Operation:
    row = rows.watch_row(group, watch)
    return ("create", row) if watch.etag is None else _on_etag("update", row, watch.etag)


def _on_etag(verb: str, row: Row, etag: str | None) -> Operation:
    options: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    if verb == "update":
        options["mode"] = UpdateMode.REPLACE
    return verb, row, options


def _keys(group: Group, record: RequestRecord, state: str) -> Row:
    return {"PartitionKey": rows.partition_of(group), "RowKey": rows.request_key(record.request_id, state)}
