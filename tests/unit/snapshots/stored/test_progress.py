from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.snapshots.listing.lines import id_of, without_user_data
from shared.snapshots.stored.manifest import snapshot_path
from shared.snapshots.stored.progress import Origin, Progress, StagedPart, new_progress, placed_parts

ORIGIN = Origin("https://example.cognitiveservices.azure.com", "v1.2-preview.1", True)
NOW = datetime(2026, 11, 20, 3, 0, 0, 250_000, tzinfo=UTC)


def test_a_snapshot_is_named_after_its_second_and_lies_under_its_day() -> None:
    begun = new_progress(ORIGIN, NOW, None)
    assert (begun.snapshot_id, begun.started_at) == ("20261120T030000Z", "2026-11-20T03:00:00.250Z")
    assert begun.path == snapshot_path("20261120T030000Z") == "dynamic-person-groups/2026/11/20/20261120T030000Z"


@pytest.mark.parametrize("newest", ["20261120T030000Z", "20261120T030007Z"])
def test_a_newer_snapshot_has_the_greater_name_whatever_the_clock_says(newest: str) -> None:
    begun = new_progress(ORIGIN, NOW, newest)
    assert begun.snapshot_id > newest
    assert begun.started_at == "2026-11-20T03:00:00.250Z"


def test_a_run_is_resumed_within_a_day_and_from_the_same_origin_alone() -> None:
    begun = new_progress(ORIGIN, NOW, None)
    assert begun.can_be_resumed(ORIGIN, NOW + timedelta(hours=23))
    assert not begun.can_be_resumed(ORIGIN, NOW + timedelta(hours=25))
    assert not begun.can_be_resumed(ORIGIN, NOW - timedelta(hours=1))
    assert not begun.can_be_resumed(msgspec.structs.replace(ORIGIN, includes_user_data=False), NOW)
    assert not begun.can_be_resumed(msgspec.structs.replace(ORIGIN, source="http://localhost"), NOW)


def test_parts_lie_one_after_the_other() -> None:
    staged = (StagedPart("1", 10, 2, "", "a", "b"), StagedPart("2", 7, 1, "b", "c", "c"))
    assert [(part.offset, part.length, part.first_id) for part in placed_parts(staged)] == [(0, 10, "a"), (10, 7, "c")]


def test_progress_comes_back_as_it_was_written() -> None:
    progress = new_progress(ORIGIN, NOW, None).advanced(
        [StagedPart("2", 7, 1, "b", "c", "c"), StagedPart("1", 10, 2, "", "a", "b")], 3, 1, complete=True
    )
    assert msgspec.json.decode(msgspec.json.encode(progress), type=Progress) == progress
    assert [part.block_id for part in progress.parts] == ["1", "2"]


def test_a_line_without_user_data_keeps_its_other_fields_as_they_came() -> None:
    line = b'{"dynamicPersonGroupId":"a","userData":"{\\"userData\\": 1}","later":1.50,"name":"\xc3\xa9"}'
    assert without_user_data(line) == b'{"dynamicPersonGroupId":"a","later":1.50,"name":"\xc3\xa9"}'
    assert without_user_data(b'{"dynamicPersonGroupId": "a"}') == b'{"dynamicPersonGroupId": "a"}'
    assert id_of(line) == "a"
