"""Processes that do a job and die by SIGKILL at a chosen one of their requests, to the storage or to the service."""

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal
from unittest import mock

import msgspec
import requests
from azure.storage.blob import ContainerClient

from shared.face.groups import GroupsClient
from shared.face.page import ListedKind
from shared.snapshots.listing import by_ranges
from shared.snapshots.listing import members as members_listing
from shared.snapshots.members import MembersJob
from shared.snapshots.restore import restore
from shared.snapshots.restore.plan import Action, Options
from shared.snapshots.restore.restore import Restore
from shared.snapshots.restore.source import RestoreSource
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.manifest import Manifest
from tests.support.snapshots import GROUPS, Unhurried, face_client, snapshot_job

type When = Literal["before", "after"]

# Children are forked from a server that has these imported and no threads: they start in milliseconds.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


class Site(msgspec.Struct, frozen=True):
    """Where the jobs work, by names that another process can use."""

    connection_string: str
    groups: str  # container
    members: str  # container
    endpoint: str
    key: str

    def container(self, name: str) -> ContainerClient:
        """Return a client of a container."""
        return ContainerClient.from_connection_string(self.connection_string, name)

    def client(self) -> GroupsClient[None]:
        """Return a client of the service."""
        return GroupsClient(face_client(self.endpoint, self.key), Unhurried())


def make_snapshot(site: Site) -> None:
    """Make a snapshot, its progress saved so often that little work is enough to be resumed."""
    with mock.patch.object(by_ranges, "_SAVE_SECONDS", 0.0):
        snapshot_job(face_client(site.endpoint, site.key), site.container(site.groups)).run()


def copy_members(site: Site) -> None:
    """Copy the members of all groups, in small parts and the progress saved after each."""
    with (
        mock.patch("shared.snapshots.members._SAVE_SECONDS", 0.0),
        mock.patch.object(members_listing, "_PART_LINES", 2),
    ):
        groups, members = site.container(site.groups), site.container(site.members)
        MembersJob(site.client(), groups, members, days=1.0, lease_patience=0.0).run()


def bring_back(site: Site, snapshot_id: str) -> None:
    """Restore a snapshot with its members, and verify it at once."""
    groups = site.container(site.groups)
    manifest = Catalog(groups, GROUPS, Manifest).manifest(snapshot_id)
    assert manifest
    source = RestoreSource(groups, site.container(site.members), manifest)
    job = Restore(site.client(), source, Options(ListedKind.DYNAMIC_PERSON_GROUP, with_user_data=True))
    job.apply([each for each in job.plan() if isinstance(each, Action)])
    with mock.patch.object(restore, "_VERIFY_SECONDS", ()):
        job.verify()


def run_killed(work: Callable[[], None], *, kill_at: int | None = None, when: When = "before") -> int | None:
    """Do some work in a process of its own, which dies before or after its ``kill_at``-th request.

    Return the number of its requests, ``None`` where it died.

    Raises:
        RuntimeError: where it failed otherwise.
    """
    receiver, sender = _context.Pipe(duplex=False)
    child = _context.Process(target=_child, args=(sender, work, kill_at, when))
    child.start()
    sender.close()
    child.join()
    if child.exitcode == -signal.SIGKILL:
        return None
    if child.exitcode != 0:
        raise RuntimeError(f"the process ended with {child.exitcode}")
    count: int = receiver.recv()
    return count


def _child(sender: Any, work: Callable[[], None], kill_at: int | None, when: When) -> None:
    send, numbers, lock, seen = requests.Session.send, itertools.count(1), Lock(), [0]

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        with lock:
            number = seen[0] = next(numbers)
        if number == kill_at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        response = send(session, request, **options)
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    # The SDK and our own client both send by this.
    mock.patch.object(requests.Session, "send", counted).start()
    work()
    sender.send(seen[0])
