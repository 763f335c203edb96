"""The clients and jobs, built from the settings once per process, when they are first needed.

Heavy libraries are imported here, where they are used: the app starts faster without them.
"""

import logging
import os
import random
import time
from concurrent.futures import Future
from datetime import timedelta
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING

from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.budget.budget import Budget
    from shared.face.client import FaceClient
    from shared.snapshots.snapshot import SnapshotJob
    from shared.storage import Storage
    from shared.training.cancel import Canceller
    from shared.training.poison import PoisonHandler
    from shared.training.store import WatchStore
    from shared.training.tell import Teller
    from shared.training.timer import Caretaker
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
    """Return the client of the Face resource."""
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
    return FaceClient(configured.face_endpoint, credential, versions)


@_once
def budget() -> "Budget":
    """Return the budget of calls, which all instances and jobs share."""
    from urllib.parse import urlsplit

    from shared.budget.budget import Budget
    from shared.budget.store import BudgetStore

    configured = settings()
    host = urlsplit(configured.face_endpoint).hostname or ""
    store = BudgetStore(storage().watch_table, host)
    return Budget(store, max_tps=configured.max_tps, poll_worth=configured.watch.poll_worth)


@_once
def watch_store() -> "WatchStore":
    """Return the record of watches."""
    from shared.training.store import WatchStore

    return WatchStore(watch_storage().watch_table)


@_once
def teller() -> "Teller":
    """Return what tells the ends of requests."""
    from shared.training.tell import Teller

    return Teller(watch_store(), watch_storage().results_queue, settings().face_endpoint)


@_once
def watcher() -> "Watcher":
    """Return the job that takes the steps of watches."""
    from shared.face.models import GroupKind
    from shared.training.decide import Policy
    from shared.training.messages import Encoding
    from shared.training.schedule import Bounds
    from shared.training.step import StepTaker
    from shared.training.watch import Watcher

    watch = settings().watch
    bounds = Bounds(watch.min_delay, watch.max_delay)
    steps = StepTaker(
        face=face_client(),
        budget=budget(),
        store=watch_store(),
        queue=watch_storage().watch_queue,
        teller=teller(),
        policy=Policy(bounds, worth=watch.poll_worth, timeout=watch.timeout, grace=watch.grace),
        jitter=random.random,
        monotonic=time.monotonic,
    )
    return Watcher(
        store=watch_store(),
        teller=teller(),
        steps=steps,
        default_kind=GroupKind(watch.default_kind),
        encoding=Encoding(watch.message_encoding),
        jitter=random.random,
        sleep=time.sleep,
    )


@_once
def poison_handler() -> "PoisonHandler":
    """Return the job that tells what the host gave up."""
    from shared.face.models import GroupKind
    from shared.training.messages import Encoding
    from shared.training.poison import PoisonHandler

    watch = settings().watch
    return PoisonHandler(teller(), GroupKind(watch.default_kind), Encoding(watch.message_encoding))


@_once
def caretaker() -> "Caretaker":
    """Return the job that looks after overdue watches and old records."""
    from shared.training.timer import Caretaker

    return Caretaker(
        store=watch_store(),
        queue=watch_storage().watch_queue,
        teller=teller(),
        budget=budget(),
        retention=timedelta(days=settings().watch.retention_days),
        monotonic=time.monotonic,
    )


@_once
def canceller() -> "Canceller":
    """Return the job that cancels requests."""
    from shared.training.cancel import Canceller

    return Canceller(store=watch_store(), teller=teller(), budget=budget(), jitter=random.random, sleep=time.sleep)


@_once
def snapshot_job() -> "SnapshotJob":
    """Return the job that publishes the dynamic person groups."""
    from shared.snapshots.snapshot import SnapshotJob

    include_user_data = settings().snapshot.include_user_data
    return SnapshotJob(face_client(), snapshot_storage().snapshot_container, include_user_data=include_user_data)
