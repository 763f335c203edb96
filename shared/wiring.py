"""Build clients and jobs from the settings, once per process, when they are first needed.

Heavy libraries are imported here, where they are used: the app starts faster without them.
"""

import logging
import os
import random
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from threading import RLock
from typing import TYPE_CHECKING

from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.face.client import FaceClient
    from shared.snapshots.snapshot import SnapshotJob
    from shared.storage import Storage
    from shared.training.poison import PoisonHandler
    from shared.training.resume import Resumer
    from shared.training.watch import Watcher


_building = RLock()


def _once[T](build: "Callable[[], T]") -> "Callable[[], T]":
    """Build at the first call, by one thread while the others wait; keep nothing of a build that raises."""
    built = cache(build)

    @wraps(build)
    def get() -> T:
        with _building:
            return built()

    return get


@_once
def settings() -> Settings:
    """Return the settings of this process; raise ``SettingsError`` with every problem."""
    return load_settings(os.environ)


@_once
def storage() -> "Storage":
    """Return the storage clients, with what they need made; raise ``AzureError`` while it cannot be reached."""
    from shared.storage import connect

    # At info, the SDKs log the address of each request, which holds IDs.
    logging.getLogger("azure").setLevel(logging.WARNING)
    connected = connect(settings().data_storage)
    connected.make_missing()
    return connected


@_once
def face_client() -> "FaceClient":
    """Return the one client, whose request budget all jobs of this process share."""
    from shared.face.budget import RequestBudget
    from shared.face.client import ApiVersions, FaceClient
    from shared.face.credentials import KeyCredential, TokenCredential

    # Of an answer whose headers cannot be read it warns with the request's address, which holds an ID.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    of = settings()
    if of.face_key is not None:
        credential: KeyCredential | TokenCredential = KeyCredential(of.face_key)
    else:
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider

        credential = TokenCredential(get_bearer_token_provider(DefaultAzureCredential(), of.face_token_scope))
    versions = ApiVersions(training=of.training_api_version, directory=of.directory_api_version)
    return FaceClient(of.face_endpoint, credential, RequestBudget(of.max_tps), versions)


@_once
def watcher() -> "Watcher":
    """Return the job that takes the steps of watches."""
    from shared.face.models import GroupKind
    from shared.training.decide import Policy
    from shared.training.report import Reporter
    from shared.training.schedule import Bounds
    from shared.training.store import WatchStore
    from shared.training.watch import Watcher

    of = settings().watch
    return Watcher(
        face=face_client(),
        store=WatchStore(storage().watch_table),
        queue=storage().watch_queue,
        reporter=Reporter(storage().results_queue),
        policy=Policy(Bounds(of.min_delay, of.max_delay), timeout=of.timeout, grace=of.grace),
        default_kind=GroupKind(of.default_kind),
        clock=lambda: datetime.now(UTC),
        jitter=random.random,
    )


@_once
def poison_handler() -> "PoisonHandler":
    """Return the job that takes up what the host gave up."""
    from shared.training.poison import PoisonHandler

    return PoisonHandler(watcher(), storage().poison_queue)


@_once
def resumer() -> "Resumer":
    """Return the job that looks after overdue watches and old records."""
    from shared.training.resume import Resumer

    return Resumer(watcher(), retention=timedelta(days=settings().watch.retention_days))


@_once
def snapshot_job() -> "SnapshotJob":
    """Return the job that publishes the dynamic person groups."""
    from shared.face.groups import GroupsClient
    from shared.snapshots.snapshot import SnapshotJob

    include_user_data = settings().snapshot_include_user_data
    return SnapshotJob(GroupsClient(face_client()), storage().snapshot_container, include_user_data=include_user_data)
