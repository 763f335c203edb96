"""The clients and jobs, built from the settings once per process, when they are first needed.

Heavy libraries are imported here, where they are used: the app starts faster without them.
"""

import logging
import os
import random
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import wraps
from threading import Lock
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


def _once[T](build: "Callable[[], T]") -> "Callable[[], T]":
    """Build at the first call, by one thread while the others wait for it.

    A build that raises does so in each thread that waited, and the next call builds anew. No lock is held meanwhile,
    so other things can be built.
    """
    lock = Lock()
    built: Future[T] | None = None

    @wraps(build)
    def get() -> T:
        nonlocal built
        with lock:
            mine = built is None
            future: Future[T] = Future() if built is None else built
            built = future
        if mine:
            try:
                future.set_result(build())
            except BaseException as error:
                with lock:
                    built = None
                future.set_exception(error)
                raise
        return future.result()

    return get


@_once
def settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: some cannot be used.
    """
    return load_settings(os.environ)


@_once
def storage() -> "Storage":
    """Return the storage's clients; nothing is called yet."""
    from shared.storage import connect

    # At info, the SDKs log the address of each request, which holds IDs.
    logging.getLogger("azure").setLevel(logging.WARNING)
    return connect(settings().data_storage)


@_once
def watch_storage() -> "Storage":
    """Return the storage's clients, once what watching needs is there.

    Raises:
        azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
    """
    storage().make_watch_parts()
    return storage()


@_once
def snapshot_storage() -> "Storage":
    """Return the storage's clients, once what snapshots need is there.

    Raises:
        azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
    """
    storage().make_snapshot_parts()
    return storage()


@_once
def face_client() -> "FaceClient":
    """Return the one client, whose request budget all jobs of this process share."""
    from shared.face.budget import RequestBudget
    from shared.face.client import ApiVersions, FaceClient
    from shared.face.credentials import KeyCredential, TokenCredential

    # It warns of a response whose headers cannot be read, with the request's address, which holds an ID.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    configured = settings()
    if configured.face_key is not None:
        credential: KeyCredential | TokenCredential = KeyCredential(configured.face_key)
    else:
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider

        credential = TokenCredential(get_bearer_token_provider(DefaultAzureCredential(), configured.face_token_scope))
    versions = ApiVersions(training=configured.training_api_version, directory=configured.directory_api_version)
    return FaceClient(configured.face_endpoint, credential, versions, budget=RequestBudget(configured.max_tps))


@_once
def watcher() -> "Watcher":
    """Return the job that takes the steps of watches."""
    from shared.face.models import GroupKind
    from shared.training.decide import Policy
    from shared.training.report import Reporter
    from shared.training.schedule import Bounds
    from shared.training.store import WatchStore
    from shared.training.watch import Watcher

    watch = settings().watch
    return Watcher(
        face=face_client(),
        store=WatchStore(watch_storage().watch_table),
        queue=watch_storage().watch_queue,
        reporter=Reporter(watch_storage().results_queue),
        policy=Policy(Bounds(watch.min_delay, watch.max_delay), timeout=watch.timeout, grace=watch.grace),
        default_kind=GroupKind(watch.default_kind),
        clock=lambda: datetime.now(UTC),
        jitter=random.random,
    )


@_once
def poison_handler() -> "PoisonHandler":
    """Return the job that handles what the host gave up."""
    from shared.training.poison import PoisonHandler

    return PoisonHandler(watcher(), watch_storage().poison_queue)


@_once
def resumer() -> "Resumer":
    """Return the job that looks after overdue watches and old records."""
    from shared.training.resume import Resumer

    return Resumer(watcher(), retention=timedelta(days=settings().watch.retention_days))


@_once
def snapshot_job() -> "SnapshotJob":
    """Return the job that publishes the dynamic person groups."""
    from shared.snapshots.snapshot import SnapshotJob

    include_user_data = settings().snapshot.include_user_data
    return SnapshotJob(face_client(), snapshot_storage().snapshot_container, include_user_data=include_user_data)
