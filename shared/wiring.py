"""The clients and jobs, built from the settings once per process, when they are first needed.

Heavy libraries are imported here, where they are used: the app starts faster without them.
"""

import logging
import os
import random
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING

from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.api.health import FaceCheck
    from shared.api.requests import RequestsApi
    from shared.api.responses import Response
    from shared.api.snapshots import SnapshotsApi
    from shared.api.watches import WatchesApi
    from shared.budget.budget import Budget
    from shared.budget.row import Slot
    from shared.face.client import FaceClient
    from shared.face.groups import GroupsClient
    from shared.snapshots.jobs import SnapshotJobs
    from shared.storage import Storage
    from shared.training.cancel import Canceller
    from shared.training.poison import PoisonHandler
    from shared.training.store import WatchStore
    from shared.training.tell import Teller
    from shared.training.timer import Caretaker
    from shared.training.topic import Topic
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
    # With the port, since there may be several emulators on this machine.
    host = urlsplit(configured.face_endpoint).netloc
    store = BudgetStore(storage().budget_table, host)
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

    return Teller(watch_store(), watch_storage().results_queue, settings().face_endpoint, topic())


@_once
def topic() -> "Topic | None":
    """Return the topic that gets each event as well, where there is one."""
    endpoint = settings().events_topic_endpoint
    if endpoint is None:
        return None
    from azure.eventgrid import EventGridPublisherClient
    from azure.identity import DefaultAzureCredential

    from shared.training.topic import Topic

    # It warns of each option of a call, which it takes for a field of the event as well.
    logging.getLogger("azure.eventgrid").setLevel(logging.ERROR)
    client = EventGridPublisherClient(endpoint, DefaultAzureCredential())
    return Topic(client, watch_storage().watch_table, time.monotonic)


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
def requests_api() -> "RequestsApi":
    """Return what answers HTTP requests about requests."""
    from shared.api.requests import RequestsApi
    from shared.face.models import GroupKind
    from shared.training.history import History
    from shared.training.messages import Encoding
    from shared.training.send import Sender

    watch = settings().watch
    return RequestsApi(
        sender=Sender(watch_storage().watch_queue, Encoding(watch.message_encoding)),
        store=watch_store(),
        history=History(watch_storage().watch_table),
        canceller=canceller(),
        default_kind=GroupKind(watch.default_kind),
        clock=budget().clock,
    )


@_once
def watches_api() -> "WatchesApi":
    """Return what answers HTTP requests about watches."""
    from shared.api.watches import WatchesApi
    from shared.training.history import History

    return WatchesApi(watch_store(), History(watch_storage().watch_table), budget().clock)


@_once
def face_check() -> "FaceCheck":
    """Return the check of the Face service."""
    from shared.api.health import FaceCheck

    return FaceCheck(face_client(), budget(), time.monotonic)


def health() -> "Response":
    """Return what works and what does not."""
    from shared.api.health import check, health

    connected = storage()
    return health(
        [
            lambda: check("queues", lambda: [queue.get_queue_properties() for queue in connected.watch_queues]),
            lambda: check("table", lambda: next(iter(connected.watch_table.list_entities(results_per_page=1)), None)),
            lambda: check("snapshots", connected.snapshot_container.get_container_properties),
            face_check(),
        ]
    )


@_once
def openapi() -> "Response":
    """Return the description of the HTTP functions."""
    return _file("openapi.json", "application/json")


@_once
def ui() -> "Response":
    """Return the page, which asks for a key, or goes by the signed-in user."""
    import msgspec

    page = _file("ui.html", "text/html; charset=utf-8")
    mode = f'data-auth="{settings().http_auth}"'.encode()
    return msgspec.structs.replace(page, body=page.body.replace(b'data-auth="key"', mode, 1))


def _file(name: str, content_type: str) -> "Response":
    from pathlib import Path

    from shared.api.responses import Response

    body = (Path(__file__).parent / "api" / name).read_bytes()
    # Nothing from other hosts, and in no other site's frame.
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    headers = {
        "Content-Security-Policy": f"{policy}frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(status=200, body=body, content_type=content_type, headers=headers)


@_once
def groups_client() -> "GroupsClient[Slot]":
    """Return the client of the operations on groups, which waits for slots that no poll needs."""
    from shared.face.groups import GroupsClient
    from shared.snapshots.pace import BulkPace

    return GroupsClient(face_client(), BulkPace(budget()))


@_once
def snapshot_jobs() -> "SnapshotJobs":
    """Return the jobs that copy the groups of the kinds that are kept."""
    from shared.face.page import ListedKind
    from shared.snapshots.jobs import SnapshotJobs
    from shared.snapshots.members import MembersJob
    from shared.snapshots.snapshot import SnapshotJob

    kept, reached = settings().snapshot, snapshot_storage()
    jobs = {
        ListedKind(kind): SnapshotJob(
            groups_client(), reached.snapshot_container, ListedKind(kind), include_user_data=kept.include_user_data
        )
        for kind in kept.kinds
    }
    members = None
    if kept.include_members:
        reached.make_member_parts()
        members = MembersJob(
            groups_client(), reached.snapshot_container, reached.members_container, days=kept.members_days
        )
    return SnapshotJobs(jobs, members, reached.snapshot_requests_queue)


@_once
def snapshots_api() -> "SnapshotsApi":
    """Return what answers HTTP requests about snapshots."""
    from shared.api.snapshots import SnapshotsApi
    from shared.face.page import ListedKind
    from shared.ncrontab import next_time
    from shared.snapshots.stored.catalog import Catalog
    from shared.snapshots.stored.layout import Layout
    from shared.snapshots.stored.manifest import Manifest

    reached = snapshot_storage()
    catalogs = {
        kind: Catalog(reached.snapshot_container, Layout(kind, "groups"), Manifest)
        for kind in map(ListedKind, settings().snapshot.kinds)
    }
    schedule = settings().snapshot.schedule
    return SnapshotsApi(
        catalogs,
        snapshot_jobs(),
        reached.snapshot_requests_queue,
        next_run=lambda: next_time(schedule, datetime.now(UTC)),
    )
