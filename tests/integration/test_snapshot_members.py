from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.face.errors import Unauthorized
from shared.face.groups import GroupsClient
from shared.snapshots.members import LAYOUT, MembersJob
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.begin import Beginning
from shared.snapshots.stored.gzip_members import pack
from shared.snapshots.stored.manifest import MembersManifest
from shared.snapshots.stored.run import read_status
from tests.support.face_service import FaceService
from tests.support.snapshots import Unhurried, new_container, read_lines, take_snapshot


@pytest.fixture
def members_container(azurite: Azurite) -> ContainerClient:
    return new_container(azurite.connection_string)


class Copies:
    """Copies of the members of an emulator's groups, one a day."""

    def __init__(self, client: FaceClient, groups: ContainerClient, members: ContainerClient) -> None:
        self.client = client
        self.groups = groups
        self.members = members
        self.day = datetime.now(UTC) - timedelta(days=1)

    def take(self, **options: Any) -> MembersManifest | None:
        take_snapshot(self.client, self.groups)
        return self.copy(**options)

    def copy(self, **options: Any) -> MembersManifest | None:
        job = MembersJob(
            GroupsClient(self.client, Unhurried()),
            self.groups,
            self.members,
            patience=1.0,
            lease_patience=0.0,
            clock=lambda: self.day,
            **{"days": 30.0, **options},
        )
        self.day += timedelta(seconds=1)
        return job.run()

    def lines(self, manifest: MembersManifest | None) -> dict[str, dict[str, Any]]:
        assert manifest
        return {line["dynamicPersonGroupId"]: line for line in read_lines(self.members, manifest.members.path)}


@pytest.fixture
def copies(client: FaceClient, container: ContainerClient, members_container: ContainerClient) -> Copies:
    return Copies(client, container, members_container)


def persons_of(service: FaceService, group_id: str) -> list[str]:
    body = service.get(f"/dynamicpersongroups/{group_id}/persons", params={"top": 1000}).json()
    return list(body["personIds"])


def test_a_copy_holds_the_persons_of_every_group_in_a_container_of_its_own(
    face_emulator: FaceEmulator, copies: Copies, service: FaceService
) -> None:
    face_emulator.control.fill(50, persons=7)
    manifest = copies.take()
    assert manifest
    lines = copies.lines(manifest)
    assert list(lines) == sorted(lines)
    assert {group_id: line["personIds"] for group_id, line in lines.items()} == {
        group_id: persons_of(service, group_id) for group_id in service.list_ids(top=1000)
    }
    assert (manifest.members.count, manifest.listed, manifest.persons) == (50, 50, 350)
    assert manifest.calls == 100
    assert {blob.name for blob in copies.members.list_blobs()} == {
        LAYOUT.pointer,
        LAYOUT.run,
        LAYOUT.manifest_path(manifest.snapshot_id),
        manifest.members.path,
    }
    assert manifest.members.path.startswith("dynamic-person-groups/members/dt=")


def test_each_copy_lists_a_share_of_the_groups_new_ones_first_and_takes_the_others_over(
    face_emulator: FaceEmulator, copies: Copies
) -> None:
    face_emulator.control.fill(20, persons=2)
    first = copies.lines(copies.take())
    added = face_emulator.control.change(added=3, seed=1).added
    second_copy = copies.take(days=5.0)
    assert second_copy
    second = copies.lines(second_copy)
    assert second_copy.listed == 5
    assert second.keys() == first.keys() | set(added)
    fresh = {group_id for group_id, line in second.items() if first.get(group_id) != line}
    assert set(added) < fresh
    third = copies.lines(copies.take(days=5.0))
    again = {group_id for group_id, line in third.items() if second[group_id]["listedAt"] != line["listedAt"]}
    assert len(again) == 5
    assert not again & fresh


def test_a_group_that_changed_is_listed_again_at_once(face_emulator: FaceEmulator, copies: Copies) -> None:
    face_emulator.control.fill(40, persons=1)
    first = copies.lines(copies.take())
    (changed,) = face_emulator.control.change(changed=1).changed
    second = copies.lines(copies.take(days=40.0))
    assert [group_id for group_id, line in second.items() if line != first[group_id]] == [changed]


def test_a_copy_that_failed_goes_on_and_nothing_is_published_before(
    face_emulator: FaceEmulator, copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.members._SAVE_SECONDS", 0.0)
    monkeypatch.setattr("shared.snapshots.listing.members._PART_LINES", 10)
    face_emulator.control.fill(200, persons=1)
    face_emulator.control.faults(faults.ErrorResponse(operation="*.persons", rate=0.02, status=401, code="401"))
    with pytest.raises(Unauthorized):
        copies.take()
    assert not copies.members.get_blob_client(LAYOUT.pointer).exists()
    face_emulator.control.faults()
    manifest = copies.take()
    assert manifest
    assert len(copies.lines(manifest)) == 200


def test_short_pages_of_persons_are_not_their_end(
    face_emulator: FaceEmulator, copies: Copies, service: FaceService
) -> None:
    face_emulator.control.fill(3, persons=30)
    whole = {group_id: persons_of(service, group_id) for group_id in service.list_ids(top=1000)}
    face_emulator.control.faults(faults.PageShort(operation="*.persons", items=7))
    lines = copies.lines(copies.take())
    assert {group_id: line["personIds"] for group_id, line in lines.items()} == whole


@pytest.mark.parametrize("damage", [b"", b"garbage", pack([b'{"dynamicPersonGroupId":"a"}'])], ids=len)
def test_a_copy_that_was_broken_is_not_taken_over(
    face_emulator: FaceEmulator, copies: Copies, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    face_emulator.control.fill(5, persons=2)
    first = copies.take()
    assert first
    copies.members.upload_blob(first.members.path, damage, overwrite=True)
    second = copies.take()
    assert second
    assert (second.previous, second.listed, second.persons) == (None, 5, 10)
    assert "previous members cannot be taken over" in caplog.messages


def test_changes_that_cannot_be_read_stop_no_copy(face_emulator: FaceEmulator, copies: Copies) -> None:
    face_emulator.control.fill(5, persons=2)
    copies.take()
    take_snapshot(copies.client, copies.groups)
    changes = max(blob.name for blob in copies.groups.list_blobs() if "/changes/" in blob.name)
    copies.groups.upload_blob(changes, b"garbage", overwrite=True)
    manifest = copies.copy()
    assert manifest
    assert len(copies.lines(manifest)) == 5


def test_a_copy_that_failed_is_not_gone_on_with_for_a_newer_snapshot_of_other_groups(
    face_emulator: FaceEmulator, copies: Copies, service: FaceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.members._SAVE_SECONDS", 0.0)
    face_emulator.control.fill(5, persons=2)
    take_snapshot(copies.client, copies.groups)
    with monkeypatch.context() as patch:
        patch.setattr(Archive, "commit", Mock(side_effect=ServiceRequestError("the storage is away")))
        with pytest.raises(ServiceRequestError):
            copies.copy()
    face_emulator.control.change(added=3, seed=1)
    manifest = copies.take()
    assert manifest
    assert list(copies.lines(manifest)) == service.list_ids(top=1000)


def test_a_copy_that_died_right_after_it_was_published_is_not_taken_up_for_ever(
    face_emulator: FaceEmulator, copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    face_emulator.control.fill(5, persons=2)
    first = copies.take()
    assert first
    take_snapshot(copies.client, copies.groups)
    with monkeypatch.context() as patch:
        patch.setattr(Beginning, "clear_away", Mock(side_effect=ServiceRequestError("the storage is away")))
        with pytest.raises(ServiceRequestError):
            copies.copy()
    assert read_status(copies.members.get_blob_client(LAYOUT.run)).progress
    assert copies.copy() is None
    assert read_status(copies.members.get_blob_client(LAYOUT.run)).progress is None
    assert copies.members.get_blob_client(first.members.path).get_blob_tags() == {"superseded": "true"}
