import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import HttpRequest, HttpResponse, RequestsTransport
from azure.data.tables import TableClient, UpdateMode

from local.azurite import Azurite
from shared.face.models import GroupKind, Training
from shared.storage import Storage
from shared.training.record import Outcome, State, Watch
from shared.training.store import LostRace, WatchStore, repeat_lost_races
from tests.support.builders import START, WATCH_ID, watch

ODD = "\N{GRINNING FACE} ä \u0000 \u000b \ufffe ' \" \\ <&> \r\n"


@pytest.fixture
def store(storage: Storage) -> WatchStore:
    """Return the store over an empty table."""
    return WatchStore(storage.watch_table)


def full() -> Watch:
    """Return a watch that has every field, and none at its default."""
    moment = START + timedelta(microseconds=123_456)
    return Watch(
        kind=GroupKind.LARGE_FACE_LIST,
        group_id="a-b_c" + "9" * 59,
        watch_id=WATCH_ID,
        trained_after="2026-11-20T12:00:00.1234567+02:00",
        train=True,
        correlation_id=ODD,
        state=State.ENDED,
        step=2**31 - 1,
        started_at=moment,
        next_look_at=moment + timedelta(days=7),
        polls=7,
        troubles=3,
        last_trouble=ODD,
        training=Training(ODD, "2026-11-20T10:00:00.1234567Z", "b", "c", "d", ODD),
        noted=True,
        noted_created="2026-11-20T10:00:00.1234567Z",
        called_at=moment,
        poisonings=2,
        last_poison_id="poison",
        ended_at=moment,
        outcome=Outcome.TIMED_OUT,
        event=json.dumps({"data": ODD * 100}),
        owed=True,
    )


def bare(found: Watch) -> Watch:
    """Return a watch as it was before it was stored."""
    return msgspec.structs.replace(found, etag=None)


def numbered(number: int, **changes: Any) -> Watch:
    """Return one of several watches of a group, the greater number the newer."""
    return watch(watch_id=f"20261120T1000{number:02}Z-a", **changes)


def test_every_field_comes_back_as_it_was_written(store: WatchStore) -> None:
    written = full()
    for field in msgspec.structs.fields(Watch):
        assert field.name == "etag" or getattr(written, field.name) != field.default, f"{field.name} is not tried"
    created = store.create(written)
    (found,) = store.read_from(written.kind, written.group_id, written.watch_id)
    assert bare(found) == written
    assert found.etag == created.etag is not None


def test_a_new_watch_comes_back_with_its_defaults(store: WatchStore) -> None:
    store.create(watch())
    (found,) = store.read_from(GroupKind.LARGE_PERSON_GROUP, "my-group", WATCH_ID)
    assert bare(found) == watch()


def test_what_is_no_more_is_removed_from_the_row(store: WatchStore) -> None:
    created = store.create(full())
    store.replace(msgspec.structs.replace(created, last_trouble=None, training=None, owed=False))
    (found,) = store.read_from(created.kind, created.group_id, created.watch_id)
    assert (found.last_trouble, found.training, found.owed) == (None, None, False)


def test_a_row_lies_where_it_is_documented_to_lie(store: WatchStore, storage: Storage) -> None:
    store.create(watch())
    row = storage.watch_table.get_entity("largePersonGroup:my-group", WATCH_ID)
    assert (row["state"], row["owed"], row["step"]) == ("watching", False, 0)


def test_a_group_is_read_from_a_watch_on_oldest_first(store: WatchStore) -> None:
    for number in (3, 1, 2):
        store.create(numbered(number))
    store.create(numbered(9, group_id="my-group-2"))
    store.create(numbered(9, kind=GroupKind.PERSON_GROUP))
    found = store.read_from(GroupKind.LARGE_PERSON_GROUP, "my-group", numbered(2).watch_id)
    assert [one.watch_id for one in found] == [numbered(2).watch_id, numbered(3).watch_id]
    assert store.read_from(GroupKind.LARGE_PERSON_GROUP, "another", WATCH_ID) == []


def test_a_watch_is_created_once(store: WatchStore) -> None:
    store.create(watch())
    with pytest.raises(LostRace):
        store.create(watch())


def test_of_two_that_read_the_same_record_one_writes(store: WatchStore) -> None:
    first = second = store.create(watch())
    third = store.replace(msgspec.structs.replace(first, step=1))
    with pytest.raises(LostRace):
        store.replace(msgspec.structs.replace(second, step=2))
    store.replace(msgspec.structs.replace(third, step=2))
    (found,) = store.read_from(first.kind, first.group_id, first.watch_id)
    assert found.step == 2


def test_a_record_that_is_gone_is_a_lost_race(store: WatchStore) -> None:
    created = store.create(watch())
    store.remove(created)
    with pytest.raises(LostRace):
        store.replace(created)
    store.remove(created)


def test_a_watch_that_was_written_since_is_not_removed(store: WatchStore) -> None:
    created = store.create(watch())
    store.replace(msgspec.structs.replace(created, polls=1))
    store.remove(created)
    assert len(store.read_from(created.kind, created.group_id, created.watch_id)) == 1


class LosingTransport(RequestsTransport):  # type: ignore[misc] # azure-core's transports have no types
    """Carry requests, and turn answers of writes into a 503 although the write was done."""

    def __init__(self, after: Callable[[], object]) -> None:
        super().__init__()
        self._after = after
        self.losses = 0

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        answer: HttpResponse = super().send(request, **options)
        if request.method in ("POST", "PUT") and self.losses:
            self.losses -= 1
            answer.status_code = 503
            self._after()
        return answer


class Losing:
    """The store over a transport that loses the answers of writes."""

    def __init__(self, azurite: Azurite, after: Callable[[], object] = lambda: None) -> None:
        self.transport = LosingTransport(after)
        self.store = WatchStore(
            TableClient.from_connection_string(
                azurite.connection_string, "trainingwatches", transport=self.transport, retry_backoff_factor=0
            )
        )


def test_a_write_that_was_done_though_its_answer_was_lost_is_no_lost_race(store: WatchStore, azurite: Azurite) -> None:
    losing = Losing(azurite)
    losing.transport.losses = 1
    created = losing.store.create(watch())
    losing.transport.losses = 1
    replaced = losing.store.replace(msgspec.structs.replace(created, step=1))
    assert losing.transport.losses == 0
    (found,) = store.read_from(created.kind, created.group_id, created.watch_id)
    assert found == replaced


def test_a_write_whose_answer_was_lost_and_that_somebody_wrote_over_is_a_lost_race(
    store: WatchStore, azurite: Azurite
) -> None:
    def overwrite() -> None:
        (now,) = store.read_from(GroupKind.LARGE_PERSON_GROUP, "my-group", WATCH_ID)
        store.replace(msgspec.structs.replace(now, polls=9))

    losing = Losing(azurite, after=overwrite)
    created = store.create(watch())
    losing.transport.losses = 1
    with pytest.raises(LostRace):
        losing.store.replace(msgspec.structs.replace(created, step=1))


@pytest.mark.usefixtures("storage")
def test_a_table_that_cannot_be_used_raises_the_storages_error(azurite: Azurite) -> None:
    losing = Losing(azurite)
    losing.transport.losses = 100
    with pytest.raises(AzureError):
        losing.store.create(watch())


def test_overdue_are_those_that_go_on_or_owe_their_event(store: WatchStore) -> None:
    late, soon = START - timedelta(seconds=1), START
    store.create(numbered(1, next_look_at=late))
    store.create(numbered(2, next_look_at=soon))
    store.create(numbered(3, next_look_at=late, state=State.ENDED, owed=True, ended_at=late))
    store.create(numbered(4, next_look_at=late, state=State.ENDED, owed=False, ended_at=late))
    store.create(numbered(5, next_look_at=late, group_id="another", kind=GroupKind.PERSON_GROUP))
    found = sorted(one.watch_id for one in store.overdue(START, limit=10))
    assert found == [numbered(number).watch_id for number in (1, 3, 5)]
    assert len(list(store.overdue(START, limit=2))) == 2


def test_ended_are_those_that_owe_nothing_and_ended_before(store: WatchStore) -> None:
    old, new = START - timedelta(microseconds=1), START
    store.create(numbered(1, state=State.ENDED, ended_at=old))
    store.create(numbered(2, state=State.ENDED, ended_at=new))
    store.create(numbered(3, state=State.ENDED, ended_at=old, owed=True))
    store.create(numbered(4))
    assert [one.watch_id for one in store.ended(START, limit=10)] == [numbered(1).watch_id]
    assert list(store.ended(START, limit=0)) == []


@pytest.mark.parametrize(
    "damage", [{"kind": "faceList"}, {"step": "one"}, {"startedAt": None}, {"training": "{"}, {"outcome": "won"}]
)
def test_a_row_that_cannot_be_read_keeps_the_timer_from_no_other(
    store: WatchStore, storage: Storage, caplog: pytest.LogCaptureFixture, damage: dict[str, Any]
) -> None:
    store.create(numbered(1, correlation_id="private"))
    row = storage.watch_table.get_entity("largePersonGroup:my-group", numbered(1).watch_id)
    broken = {**{name: value for name, value in row.items() if name not in damage}, **damage}
    storage.watch_table.upsert_entity(
        {name: value for name, value in broken.items() if value is not None}, mode=UpdateMode.REPLACE
    )
    store.create(numbered(2))
    with caplog.at_level(logging.ERROR):
        found = list(store.overdue(START + timedelta(days=1), limit=10))
    assert [one.watch_id for one in found] == [numbered(2).watch_id]
    assert "a row of the watch table cannot be read" in caplog.text
    assert "private" not in caplog.text


def test_work_that_loses_races_is_done_again_a_few_times() -> None:
    tries: list[datetime] = []

    def lose(times: int) -> None:
        tries.append(START)
        if len(tries) <= times:
            raise LostRace

    repeat_lost_races(lambda: lose(4))
    assert len(tries) == 5
    tries.clear()
    with pytest.raises(LostRace):
        repeat_lost_races(lambda: lose(100))
    assert len(tries) == 5
