from collections.abc import Collection
from functools import partial

import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.face.errors import FaceError
from shared.face.groups import GroupsClient
from shared.face.page import ListedKind
from shared.snapshots.comparison import read_lines
from shared.snapshots.errors import RestoreFailed
from shared.snapshots.listing.pages import Retry
from shared.snapshots.members import MembersJob
from shared.snapshots.restore.plan import Action, Lost, Options, Wanted
from shared.snapshots.restore.restore import Restore
from shared.snapshots.restore.source import RestoreSource
from shared.snapshots.stored.archive import Archive
from tests.support.face_service import FaceService, state_of
from tests.support.snapshots import Unhurried, new_container, take_snapshot

DYNAMIC = ListedKind.DYNAMIC_PERSON_GROUP


class Backup:
    """A snapshot with members, and restores from it."""

    def __init__(self, client: FaceClient, groups: ContainerClient, members: ContainerClient) -> None:
        self.client = GroupsClient(client, Unhurried())
        self.manifest = take_snapshot(client, groups)
        assert MembersJob(self.client, groups, members, days=1.0).run()
        self.wanted = RestoreSource(groups, members, self.manifest)

    def restore(self, *, chosen: Collection[str] | None = None, prune: bool = False, patience: float = 20) -> Restore:
        options = Options(DYNAMIC, with_user_data=True, prune=prune)
        return Restore(self.client, self.wanted, options, chosen=chosen, retry=Retry(patience))


@pytest.fixture
def backup(face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, azurite: Azurite) -> Backup:
    face_emulator.control.fill(60, user_data=20, persons=5)
    return Backup(client, container, new_container(azurite.connection_string))


def carry_out(restore: Restore) -> list[Action]:
    actions = [each for each in restore.plan() if isinstance(each, Action)]
    restore.apply(actions)
    restore.verify()
    return actions


def test_nothing_is_to_be_done_where_the_service_is_as_the_copy(backup: Backup) -> None:
    assert backup.restore().plan() == []


def test_groups_that_were_deleted_come_back_with_their_members(
    face_emulator: FaceEmulator, backup: Backup, service: FaceService
) -> None:
    before = state_of(service)
    face_emulator.control.change(removed=10, changed=5)
    actions = carry_out(backup.restore())
    assert sorted(action.verb for action in actions) == ["change"] * 5 + ["make"] * 10
    assert state_of(service) == before


def test_what_was_added_since_stays_unless_it_is_to_be_pruned(
    face_emulator: FaceEmulator, backup: Backup, service: FaceService
) -> None:
    before = state_of(service)
    group_id = next(iter(before))
    added = face_emulator.control.change(added=2, seed=1).added
    extra = {"addPersonIds": ["00000000-0000-4000-8000-000000000000"]}
    backup.client.update(DYNAMIC, group_id, extra)
    assert carry_out(backup.restore()) == []
    pruned = carry_out(backup.restore(prune=True))
    assert sorted((action.verb, action.group_id) for action in pruned) == sorted(
        [("removeMembers", group_id), *(("delete", one) for one in added)]
    )
    assert state_of(service) == before


def test_only_the_groups_that_are_asked_for_come_back(
    face_emulator: FaceEmulator, backup: Backup, service: FaceService
) -> None:
    before = state_of(service)
    one, *others = face_emulator.control.change(removed=3).removed
    carry_out(backup.restore(chosen={one}))
    now = state_of(service)
    assert now == {group_id: state for group_id, state in before.items() if group_id not in others}


def test_persons_who_are_gone_are_listed_and_the_others_come_back(
    face_emulator: FaceEmulator, backup: Backup, service: FaceService
) -> None:
    (group_id,) = face_emulator.control.change(removed=1).removed
    persons = dict(backup.wanted())[group_id].persons
    assert persons
    face_emulator.control.forget_persons(persons[1], persons[4])
    restore = backup.restore()
    carry_out(restore)
    assert {(lost.group_id, lost.reason.split(",")[0]) for lost in restore.lost} == {
        (group_id, f"the person {persons[1]}"),
        (group_id, f"the person {persons[4]}"),
    }
    assert service.get(f"/dynamicpersongroups/{group_id}/persons").json()["personIds"] == sorted(
        {*persons} - {persons[1], persons[4]}
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_stopped_at_each_call_a_restore_goes_on_where_it_was(
    face_emulator: FaceEmulator, backup: Backup, service: FaceService, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.restore.restore._VERIFY_SECONDS", ())
    before = state_of(service)
    face_emulator.control.change(removed=4, changed=2)
    stops = 0
    for number in range(1, 40, 3):
        # The call with that number is cut, before or after the service has done it.
        remaining = faults.Latency(seconds=0.0, remaining=number - 1)
        cut = faults.Cut(when="before" if when == "before" else "after", rate=1.0 / number, remaining=1)
        face_emulator.control.faults(remaining, cut, seed=number)
        try:
            carry_out(backup.restore(patience=0.0))
        except (FaceError, RestoreFailed):
            stops += 1
        face_emulator.control.faults()
        carry_out(backup.restore())
        assert state_of(service) == before
        face_emulator.control.change(removed=4, changed=2, seed=number)
    assert stops > 3


def test_groups_of_other_kinds_come_back_empty_and_the_plan_says_so(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    kind = ListedKind.LARGE_PERSON_GROUP
    face_emulator.control.group(kind, "a-group")
    manifest = take_snapshot(client, container, kind=kind)
    groups = GroupsClient(client, Unhurried())
    groups.delete(kind, "a-group")
    lines = partial(read_lines, Archive(container, manifest.layout), manifest)
    restore = Restore(
        groups, lambda: ((one, Wanted(line)) for one, line in lines()), Options(kind, with_user_data=True)
    )
    make, lost = restore.plan()
    assert isinstance(make, Action)
    assert (make.verb, make.group_id, make.body["recognitionModel"]) == ("make", "a-group", "recognition_01")
    assert isinstance(lost, Lost)
    assert "made empty" in lost.reason
    restore.apply([make])
    restore.verify()
