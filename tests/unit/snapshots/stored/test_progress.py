from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.face.page import ListedKind
from shared.snapshots.listing.lines import group_id_reader, without_user_data
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, in_order, new_progress, placed_parts

ORIGIN = Origin("https://example.cognitiveservices.azure.com", "v1.2-preview.1", True)
NOW = datetime(2026, 11, 20, 3, 0, 0, 250_000, tzinfo=UTC)


def test_a_snapshot_is_named_after_its_second_and_lies_under_its_day() -> None:
    begun = new_progress(ORIGIN, NOW, "run", newer_than=[])
    assert (begun.snapshot_id, begun.started_at) == ("20261120T030000Z", "2026-11-20T03:00:00.250Z")
    layout = Layout(ListedKind.DYNAMIC_PERSON_GROUP, "groups")
    path = "dynamic-person-groups/groups/dt=2026-11-20/20261120T030000Z.ndjson.gz"
    assert layout.data_path(begun.snapshot_id) == path


@pytest.mark.parametrize("newest", ["20261120T030000Z", "20261120T030007Z"])
def test_a_newer_snapshot_has_the_greater_name_whatever_the_clock_says(newest: str) -> None:
    begun = new_progress(ORIGIN, NOW, "run", newer_than=[newest])
    assert begun.snapshot_id > newest
    assert begun.started_at == "2026-11-20T03:00:00.250Z"


def test_a_run_is_resumed_within_three_hours_and_from_the_same_origin_alone() -> None:
    begun = new_progress(ORIGIN, NOW, "run", newer_than=[])
    assert begun.can_be_resumed(ORIGIN, NOW + timedelta(hours=2.9))
    assert not begun.can_be_resumed(ORIGIN, NOW + timedelta(hours=3.1))
    assert not begun.can_be_resumed(ORIGIN, NOW - timedelta(hours=1))
    assert not begun.can_be_resumed(msgspec.structs.replace(ORIGIN, includes_user_data=False), NOW)
    assert not begun.can_be_resumed(msgspec.structs.replace(ORIGIN, source="http://localhost"), NOW)


def test_parts_lie_one_after_the_other_and_each_follows_the_last_id_before_it() -> None:
    staged = (StagedPart("1", 10, 2, "", "a", "b"), StagedPart("2", 7, 1, "a key between", "c", "c"))
    placed = placed_parts(staged)
    assert [(part.offset, part.length, part.after, part.first_id) for part in placed] == [
        (0, 10, "", "a"),
        (10, 7, "b", "c"),
    ]


def test_progress_comes_back_as_it_was_written() -> None:
    parts = in_order([StagedPart.of("2", 7, "b", ["c"]), StagedPart.of("1", 10, "", ["a", "b"])])
    progress = msgspec.structs.replace(new_progress(ORIGIN, NOW, "run", newer_than=[]), parts=parts, complete=True)
    assert msgspec.json.decode(msgspec.json.encode(progress), type=Progress) == progress
    assert [part.block_id for part in progress.parts] == ["1", "2"]


@pytest.mark.parametrize(
    "spoilt", [{"snapshot_id": "yesterday"}, {"started_at": "3 o'clock"}, {"started_at": "2026-11-20"}]
)
def test_progress_with_a_date_that_is_none_is_found_out(spoilt: dict[str, str]) -> None:
    progress = new_progress(ORIGIN, NOW, "run", newer_than=[])
    progress.check()
    with pytest.raises(ValueError, match=r"expected|format|[Ii]nvalid"):
        msgspec.structs.replace(progress, **spoilt).check()


def test_a_line_without_user_data_keeps_its_other_fields_as_they_came() -> None:
    line = b'{"dynamicPersonGroupId":"a","userData":"{\\"userData\\": 1}","later":1.50,"name":"\xc3\xa9"}'
    assert without_user_data(line) == b'{"dynamicPersonGroupId":"a","later":1.50,"name":"\xc3\xa9"}'
    assert without_user_data(b'{"dynamicPersonGroupId": "a"}') == b'{"dynamicPersonGroupId": "a"}'
    assert group_id_reader(ListedKind.DYNAMIC_PERSON_GROUP)(line) == "a"
