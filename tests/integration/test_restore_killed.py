"""A restore, killed at each of its requests: those to the storage, which it only reads, and those to the service.

What a request did is the same after it as before the next, so each is cut on one side alone.
"""

from functools import partial

import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from shared.face.client import FaceClient
from tests.support.face_service import FaceService, state_of
from tests.support.killed import Site, bring_back, copy_members, run_killed
from tests.support.snapshots import new_container, take_snapshot


@pytest.mark.timeout(300)
def test_killed_at_any_request_a_restore_goes_on_and_ends_verified(
    azurite: Azurite,
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    service: FaceService,
) -> None:
    members = new_container(azurite.connection_string)
    names = azurite.connection_string, container.container_name, members.container_name
    site = Site(*names, face_emulator.endpoint, face_emulator.key)
    face_emulator.control.fill(3, persons=2, user_data=20)
    manifest = take_snapshot(client, container)
    copy_members(site)
    kept = state_of(service)
    (stranger,) = face_emulator.control.change(added=1, seed=1_000).added
    expected = state_of(service)
    blobs = {blob.name: blob.etag for each in (container, members) for blob in each.list_blobs()}
    run = partial(run_killed, partial(bring_back, site, manifest.snapshot_id))
    died = 0
    while True:
        remove_and_change(service, sorted(kept))
        if run(kill_at=died + 1, when="after") is not None:
            break
        died += 1
        now = state_of(service)
        assert now[stranger] == expected[stranger]
        assert now.keys() <= expected.keys()
        bring_back(site, manifest.snapshot_id)
        assert state_of(service) == expected
    assert died >= 35
    assert state_of(service) == expected
    assert {blob.name: blob.etag for each in (container, members) for blob in each.list_blobs()} == blobs


def remove_and_change(service: FaceService, ids: list[str]) -> None:
    """Remove a group, change another's name, and take a person out of a third."""
    service.call("DELETE", f"/dynamicpersongroups/{ids[0]}")
    service.call("PATCH", f"/dynamicpersongroups/{ids[1]}", json={"name": "another"})
    person = service.get(f"/dynamicpersongroups/{ids[2]}/persons").json()["personIds"][0]
    service.call("PATCH", f"/dynamicpersongroups/{ids[2]}", json={"removePersonIds": [person]})
