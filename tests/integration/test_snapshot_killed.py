from contextlib import suppress
from functools import partial
from random import Random

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from tests.support.face_service import FaceService
from tests.support.killed import Site, When, make_snapshot, run_killed
from tests.support.snapshots import GROUPS, all_ids, new_container, published_ids
from tests.support.strangers import Strangers


class Nights:
    """Runs in one container, some of which die; the lease of one that died is broken instead of waited for."""

    def __init__(self, azurite: Azurite, emulator: FaceEmulator) -> None:
        self.container: ContainerClient = new_container(azurite.connection_string)
        self.strangers = Strangers(self.container, GROUPS)
        self.service = FaceService(emulator.endpoint, emulator.key)
        site = Site(azurite.connection_string, self.container.container_name, "unused", emulator.endpoint, emulator.key)
        self.run = partial(run_killed, partial(make_snapshot, site))

    def run_and_die(self, kill_at: int, when: When) -> bool:
        """Run until that request, and tell whether the run died; whatever is published is held to its manifest."""
        before = published_ids(self.container)
        died = self.run(kill_at=kill_at, when=when) is None
        now = published_ids(self.container)
        assert now in (before, all_ids(self.service))
        if died:
            self.break_lease()
        return died

    def break_lease(self) -> None:
        # It may have died before it had the lease, or after it gave it back.
        with suppress(ResourceNotFoundError, ResourceExistsError):
            BlobLeaseClient(self.container.get_blob_client(GROUPS.run)).break_lease(0)


@pytest.fixture
def nights(azurite: Azurite, face_emulator: FaceEmulator) -> Nights:
    return Nights(azurite, face_emulator)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.timeout(300)
def test_killed_at_any_request_the_pointer_names_a_whole_snapshot_and_the_next_run_makes_one(
    nights: Nights, face_emulator: FaceEmulator, when: When
) -> None:
    face_emulator.control.fill(3_000)
    died = 0
    while nights.run_and_die(died + 1, when):
        died += 1
        assert nights.run()
        assert published_ids(nights.container) == all_ids(nights.service)
        face_emulator.control.change(added=2, removed=1, changed=1, seed=died)
    assert died >= 15
    nights.strangers.check()
    left = {blob.name for blob in nights.container.list_blobs(include=["uncommittedblobs"])} - nights.strangers.names
    assert sum("/groups/" in name for name in left) == sum("/manifests/" in name for name in left)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.timeout(300)
def test_killed_again_and_again_a_snapshot_is_made_in_the_end(
    nights: Nights, face_emulator: FaceEmulator, seed: int
) -> None:
    random = Random(seed)
    face_emulator.control.fill(12_000)
    face_emulator.control.settings(latency=0.01)
    deaths = sum(nights.run_and_die(random.randint(4, 25), random.choice(["before", "after"])) for _ in range(8))
    assert deaths
    assert nights.run()
    assert published_ids(nights.container) == all_ids(nights.service)
