"""The app's queues, table and containers: their clients, and the making of those that are missing."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient
from requests.utils import get_environ_proxies

from shared.settings import ConnectionString, StorageIdentity

if TYPE_CHECKING:
    # Imported late: a poll does not need it.
    from azure.storage.blob import BlobServiceClient, ContainerClient

WATCH_QUEUE = "training-watch"
POISON_QUEUE = "training-watch-poison"
RESULTS_QUEUE = "training-results"
WATCH_TABLE = "trainingwatches"
SNAPSHOT_REQUESTS_QUEUE = "snapshot-requests"
SNAPSHOT_CONTAINER = "face-snapshots"
MEMBERS_CONTAINER = "face-members"

_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 20}
# The SDK's own first wait is 15 seconds; it is better to hand a step back to the host than to hold it so long.
# Each client makes a retry policy of its own from these: a shared policy would call through the last client.
_QUICK_RETRY = {"initial_backoff": 1, "increment_base": 2, "retry_total": 3}
_HASTY_TIMEOUTS = {"connection_timeout": 2, "read_timeout": 2}


class _Transport(RequestsTransport):  # type: ignore[misc] # which the SDK imports late, so untyped
    """A transport that reads the environment once, not at each call, which takes a tenth of a call's CPU."""

    def __init__(self, timeouts: Mapping[str, int]) -> None:
        authorities = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        super().__init__(use_env_settings=False, connection_verify=authorities, **timeouts)

    def send(self, request: Any, *, proxies: Any = None, **kwargs: Any) -> Any:
        """Send a request by the proxy that the environment names for its host."""
        del proxies  # none are configured
        return super().send(request, proxies=_proxies_for(urlsplit(request.url)[:2]), **kwargs)


@cache
def _proxies_for(scheme_and_host: tuple[str, str]) -> dict[str, str]:
    return get_environ_proxies("://".join(scheme_and_host))


@dataclass(frozen=True)
class _Account:
    """Where the storage is, and by whom it is reached."""

    where: ConnectionString | StorageIdentity

    def service[T](self, kind: Callable[..., T], uri: str, **options: Any) -> T:
        """Return the client of a service; ``uri`` names its address in ``StorageIdentity``."""
        if isinstance(self.where, ConnectionString):
            from_text: Callable[..., T] = kind.from_connection_string  # type: ignore[attr-defined] # each client has it
            return from_text(self.where.text, **options)
        return kind(getattr(self.where, uri), credential=self._credential, **options)

    @cached_property
    def _credential(self) -> Any:
        """Return the credential, one for all services, so that each token is fetched once."""
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        assert isinstance(self.where, StorageIdentity)  # noqa: S101 - a connection string has its own
        if self.where.managed:
            return ManagedIdentityCredential(client_id=self.where.client_id)
        return DefaultAzureCredential(managed_identity_client_id=self.where.client_id)


@dataclass(frozen=True)
class Storage:
    """The clients of the app's queues, table and containers, which threads may share."""

    watch_queue: QueueClient
    poison_queue: QueueClient
    results_queue: QueueClient
    watch_table: TableClient
    budget_table: TableClient  # the same table, given up quickly: a process without it goes on alone
    snapshot_requests_queue: QueueClient
    _account: _Account

    @property
    def watch_queues(self) -> tuple[QueueClient, ...]:
        """Return the queues that watching needs."""
        return self.watch_queue, self.poison_queue, self.results_queue

    @property
    def snapshot_container(self) -> "ContainerClient":
        """Return the container of the snapshots."""
        return self._blobs.get_container_client(SNAPSHOT_CONTAINER)

    @property
    def members_container(self) -> "ContainerClient":
        """Return the container of the groups' members."""
        return self._blobs.get_container_client(MEMBERS_CONTAINER)

    @cached_property
    def _blobs(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient

        return self._account.service(BlobServiceClient, "blob_uri", **_TIMEOUTS, **_QUICK_RETRY)

    def make_missing(self) -> None:
        """Make whatever does not exist, and leave the others as they are.

        Raises:
            azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
        """
        self.make_watch_parts()
        self.make_snapshot_parts()
        self.make_member_parts()

    def make_watch_parts(self) -> None:
        """Make what watching needs and does not exist.

        Raises:
            azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
        """
        for queue in self.watch_queues:
            _make_queue(queue)
        _make_table(self.watch_table)

    def make_snapshot_parts(self) -> None:
        """Make what snapshots need and does not exist.

        Raises:
            azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
        """
        _make_queue(self.snapshot_requests_queue)
        _make_container(self.snapshot_container)

    def make_member_parts(self) -> None:
        """Make what snapshots of members need besides and does not exist.

        Raises:
            azure.core.exceptions.AzureError: the storage cannot be reached or refuses.
        """
        _make_container(self.members_container)


def connect(where: ConnectionString | StorageIdentity) -> Storage:
    """Build the clients; nothing is called yet."""
    account = _Account(where)
    queues = account.service(QueueServiceClient, "queue_uri", transport=_Transport(_TIMEOUTS), **_QUICK_RETRY)
    tables = account.service(TableServiceClient, "table_uri", transport=_Transport(_TIMEOUTS), retry_total=3)
    hasty_tables = account.service(
        TableServiceClient, "table_uri", transport=_Transport(_HASTY_TIMEOUTS), retry_total=0
    )
    return Storage(
        watch_queue=queues.get_queue_client(WATCH_QUEUE),
        poison_queue=queues.get_queue_client(POISON_QUEUE),
        results_queue=queues.get_queue_client(RESULTS_QUEUE),
        watch_table=tables.get_table_client(WATCH_TABLE),
        budget_table=hasty_tables.get_table_client(WATCH_TABLE),
        snapshot_requests_queue=queues.get_queue_client(SNAPSHOT_REQUESTS_QUEUE),
        _account=account,
    )


def _make_queue(queue: QueueClient) -> None:
    # The service responds 204 for a queue that exists, and 409 where it has metadata; the SDK raises for both.
    with suppress(ResourceExistsError):
        queue.create_queue()


def _make_table(table: TableClient) -> None:
    # A refused creation shows as a failure in traces, so ask first: the table itself, for which no right on the account
    # is needed. No partition has the empty key.
    try:
        next(table.query_entities("PartitionKey eq ''", results_per_page=1).by_page(), None)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another instance was quicker
            table.create_table()


def _make_container(container: "ContainerClient") -> None:
    if not container.exists():
        with suppress(ResourceExistsError):  # another instance was quicker
            container.create_container()
