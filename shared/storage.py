"""The app's queues, table and containers: their clients, and the making of those that are missing."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from shared.settings import ConnectionString, StorageIdentity

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
_HASTY: dict[str, Any] = {"connection_timeout": 2, "read_timeout": 2, "retry_total": 0}


@dataclass(frozen=True)
class Storage:
    """The clients of the app's queues, table and containers, which threads may share."""

    watch_queue: QueueClient
    poison_queue: QueueClient
    results_queue: QueueClient
    watch_table: TableClient
    budget_table: TableClient  # the same table, given up quickly: a process without it goes on alone
    snapshot_requests_queue: QueueClient
    snapshot_container: ContainerClient
    members_container: ContainerClient

    @property
    def watch_queues(self) -> tuple[QueueClient, ...]:
        """Return the queues that watching needs."""
        return self.watch_queue, self.poison_queue, self.results_queue

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
    queues, tables, hasty_tables, blobs = _services(where)
    return Storage(
        watch_queue=queues.get_queue_client(WATCH_QUEUE),
        poison_queue=queues.get_queue_client(POISON_QUEUE),
        results_queue=queues.get_queue_client(RESULTS_QUEUE),
        watch_table=tables.get_table_client(WATCH_TABLE),
        budget_table=hasty_tables.get_table_client(WATCH_TABLE),
        snapshot_requests_queue=queues.get_queue_client(SNAPSHOT_REQUESTS_QUEUE),
        snapshot_container=blobs.get_container_client(SNAPSHOT_CONTAINER),
        members_container=blobs.get_container_client(MEMBERS_CONTAINER),
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


def _make_container(container: ContainerClient) -> None:
    if not container.exists():
        with suppress(ResourceExistsError):  # another instance was quicker
            container.create_container()


def _services(
    where: ConnectionString | StorageIdentity,
) -> tuple[QueueServiceClient, TableServiceClient, TableServiceClient, BlobServiceClient]:
    options: dict[str, Any] = {**_TIMEOUTS, **_QUICK_RETRY}
    table_options: dict[str, Any] = {**_TIMEOUTS, "retry_total": 3}
    if isinstance(where, ConnectionString):
        return (
            QueueServiceClient.from_connection_string(where.text, **options),
            TableServiceClient.from_connection_string(where.text, **table_options),
            TableServiceClient.from_connection_string(where.text, **_HASTY),
            BlobServiceClient.from_connection_string(where.text, **options),
        )
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    credential = (
        ManagedIdentityCredential(client_id=where.client_id)
        if where.managed
        else DefaultAzureCredential(managed_identity_client_id=where.client_id)
    )
    return (
        QueueServiceClient(where.queue_uri, credential=credential, **options),
        TableServiceClient(endpoint=where.table_uri, credential=credential, **table_options),
        TableServiceClient(endpoint=where.table_uri, credential=credential, **_HASTY),
        BlobServiceClient(where.blob_uri, credential=credential, **options),
    )
