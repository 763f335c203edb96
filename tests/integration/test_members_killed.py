"""The members' copy, killed at each of its requests.

What a request did to the storage is the same after it as before the next, so each is cut on one side alone.
"""

from contextlib import suppress
from functools import partial

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from shared.snapshots.comparison import read_lines
from shared.snapshots.members import LAYOUT
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.manifest import MembersManifest
from tests.support.face_service import FaceService
from tests.support.killed import Site, copy_members, run_killed
from tests.support.snapshots import all_ids, new_container, take_snapshot
from tests.support.strangers import Strangers


def newest_copy(members: ContainerClient) -> tuple[str | None, list[str]]:
    """Return the groups' snapshot of the newest copy and its groups, after holding the copy to its manifest."""
    manifest = Catalog(members, LAYOUT, MembersManifest).newest().manifest
    if manifest is None:
        return None, []
    ids = [group_id for group_id, _ in read_lines(Archive(members, LAYOUT), manifest)]
    assert manifest.persons == 2 * len(ids)
    return manifest.groups_snapshot, ids


def break_lease(members: ContainerClient) -> None:
    # It may have died before it had the lease, or after it gave it back.
    with suppress(ResourceNotFoundError, ResourceExistsError):
        BlobLeaseClient(members.get_blob_client(LAYOUT.run)).break_lease(0)


@pytest.mark.timeout(300)
def test_killed_at_any_request_the_pointer_names_a_whole_copy_and_the_next_run_makes_one(
    azurite: Azurite, face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService
) -> None:
    members = new_container(azurite.connection_string)
    strangers = Strangers(members, LAYOUT)
    face_emulator.control.fill(3, persons=2)
    names = azurite.connection_string, container.container_name, members.container_name
    site = Site(*names, face_emulator.endpoint, face_emulator.key)
    before: tuple[str | None, list[str]] = None, []
    died = 0
    while True:
        manifest = take_snapshot(client, container)
        whole = manifest.snapshot_id, all_ids(service)
        kept = {blob.name: blob.etag for blob in container.list_blobs()}
        if run_killed(partial(copy_members, site), kill_at=died + 1, when="after") is not None:
            break
        died += 1
        assert newest_copy(members) in (before, whole)
        break_lease(members)
        copy_members(site)
        before = newest_copy(members)
        assert before == whole
        assert {blob.name: blob.etag for blob in container.list_blobs()} == kept
        face_emulator.control.change(changed=1, seed=died)
    assert died >= 35
    strangers.check()
    left = {blob.name for blob in members.list_blobs(include=["uncommittedblobs"])} - strangers.names
    assert sum("/members/" in name for name in left) == sum("/manifests/" in name for name in left)
