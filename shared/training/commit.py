"""Commit what a poll decided, against whoever writes the same record meanwhile.

What fits one transaction is written in one. More is written in several, each on the watch's ETag: ends and changes
first, what advances the watch last. Each carries a token, by which a write whose response was lost is known as one's
own.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence

import msgspec

from shared.training.record import GroupRecord, RequestRecord, Watch
from shared.training.store import LostRace, WatchStore

MAX_OPERATIONS = 99
"""A transaction has at most 100 operations, and one is the watch's."""

MAX_EVENT_BYTES = 2 * 1024 * 1024
"""With their envelopes, and as Base64, so many bytes of events stay below 3 MiB a transaction, of 4 MiB that it may
have: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a poll decided: the watch as it will be, and its requests."""

    watch: Watch
    joins: tuple[RequestRecord, ...] = ()  # come on record as open
    changes: tuple[RequestRecord, ...] = ()  # replace open ones
    ends: tuple[RequestRecord, ...] = ()  # turn owed


def commit(
    store: WatchStore, record: GroupRecord, plan: Plan, revive: Callable[[Watch], Watch] | None = None
) -> GroupRecord:
    """Write a plan over the record that it was made from; return the record as it is then, with all that is owed.

    Where others have only joined meanwhile, the plan still holds. One that ends the watch is then given to
    ``revive``, which returns the watch as it goes on for those who have joined.

    Raises:
        LostRace: where the record has changed otherwise. Nothing of the plan is written then, but maybe some ends.
    """
    known = _ids(record.open)
    chunks = _chunks(plan)
    for position, part in enumerate(chunks):
        chunk, is_last = part, position == len(chunks) - 1
        while True:
            if is_last and revive and not chunk.watch.live and not _ids(record.open) <= known:
                chunk = msgspec.structs.replace(chunk, watch=revive(chunk.watch))
            token = uuid.uuid4().hex
            watch = msgspec.structs.replace(
                chunk.watch if is_last else record.watch, step_token=token, etag=record.watch.etag
            )
            try:
                record = _write(store, record, chunk, watch)
                break
            except LostRace:
                again = store.read(record.group)
                is_own_write = again.watch.step_token == token  # whose response was lost
                if not is_own_write and not _still_holds(record, again, chunks[position:]):
                    raise
                # What others have ended meanwhile is owed, too: who ends the watch has to tell it.
                record = again
                if is_own_write:
                    break
    return record


def _write(store: WatchStore, record: GroupRecord, chunk: Plan, watch: Watch) -> GroupRecord:
    written = store.write(record.group, watch, joins=chunk.joins, changes=chunk.changes, ends=chunk.ends)
    gone = _ids((*chunk.changes, *chunk.ends))
    left = [each for each in record.open if each.request_id not in gone]
    return msgspec.structs.replace(
        record, watch=written.watch, open=(*left, *written.open), owed=(*record.owed, *written.owed)
    )


def _still_holds(before: GroupRecord, now: GroupRecord, chunks: Sequence[Plan]) -> bool:
    """Return whether only joins came between two readings, as far as what is left of the plan can tell."""
    if not now.watch.live:
        return False
    if (now.watch.step, now.watch.claim) != (before.watch.step, before.watch.claim):
        return False
    etags = {each.request_id: each.etag for each in now.open}
    on_record = _ids(now.open) | _ids(now.owed)
    to_write = [each for chunk in chunks for each in (*chunk.joins, *chunk.changes, *chunk.ends)]
    return all(
        each.request_id not in on_record if each.etag is None else etags.get(each.request_id) == each.etag
        for each in to_write
    )


def _chunks(plan: Plan) -> list[Plan]:
    """Return a plan in parts that fit one transaction each; what advances the watch comes last."""
    chunks: list[Plan] = []
    changes: list[RequestRecord] = []
    ends: list[RequestRecord] = []
    operations = size = 0
    for each in (*plan.changes, *plan.ends):
        cost = 2 if each.event is not None and each.etag is not None else 1
        length = len(each.event or b"")
        if operations + cost > MAX_OPERATIONS or size + length > MAX_EVENT_BYTES:
            chunks.append(Plan(watch=plan.watch, changes=tuple(changes), ends=tuple(ends)))
            changes, ends, operations, size = [], [], 0, 0
        (changes if each.event is None else ends).append(each)
        operations += cost
        size += length
    if operations + len(plan.joins) > MAX_OPERATIONS:
        chunks.append(Plan(watch=plan.watch, changes=tuple(changes), ends=tuple(ends)))
        changes, ends = [], []
    return [*chunks, msgspec.structs.replace(plan, changes=tuple(changes), ends=tuple(ends))]


def _ids(requests: Iterable[RequestRecord]) -> set[str]:
    return {each.request_id for each in requests}
