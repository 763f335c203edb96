"""Reach the app's queues, table and container, and make those that are missing."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from shared.settings import ConnectionString, StorageIdentity

WATCH_QUEUE = "training-watch"
POISON_QUEUE = "training-watch-poison"
RESULTS_QUEUE = "training-results"
WATCH_TABLE = "trainingwatches"
SNAPSHOT_CONTAINER = "face-snapshots"

_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 20}
# The SDK's own first wait is 15 seconds; a step is better handed back to the host than held so long.
# Each client makes a retry policy of its own from these: a policy that is shared calls on through the last one's.
_QUICK_RETRY = {"initial_backoff": 1, "increment_base": 2, "retry_total": 3}


@dataclass(frozen=True)
class Storage:
    """Hold one client for each queue, table and container that the app uses; all may be shared by threads."""

    watch_queue: QueueClient
    poison_queue: QueueClient
    results_queue: QueueClient
    watch_table: TableClient
    snapshot_container: ContainerClient
    _tables: TableServiceClient

    def make_missing(self) -> None:
        """Make the queues, the table and the container that do not exist; leave the others as they are.

        Ask before making, since a refused creation shows as a failure in traces.

        Raises:
            azure.core.exceptions.AzureError: where the storage cannot be reached or refuses.
        """
        for queue in (self.watch_queue, self.poison_queue, self.results_queue):
            # Of one that exists the service says 204 and the SDK raises; where it has metadata both call it a conflict.
            with suppress(ResourceExistsError):
                queue.create_queue()
        if not list(self._tables.query_tables(f"TableName eq '{WATCH_TABLE}'")):
            self._tables.create_table_if_not_exists(WATCH_TABLE)
        if not self.snapshot_container.exists():
            with suppress(ResourceExistsError):  # another instance was quicker
                self.snapshot_container.create_container()


def connect(where: ConnectionString | StorageIdentity) -> Storage:
    """Build the clients; nothing is called yet."""
    queues, tables, blobs = _services(where)
    return Storage(
        watch_queue=queues.get_queue_client(WATCH_QUEUE),
        poison_queue=queues.get_queue_client(POISON_QUEUE),
        results_queue=queues.get_queue_client(RESULTS_QUEUE),
        watch_table=tables.get_table_client(WATCH_TABLE),
        snapshot_container=blobs.get_container_client(SNAPSHOT_CONTAINER),
        _tables=tables,
    )


def _services(
    where: ConnectionString | StorageIdentity,
) -> tuple[QueueServiceClient, TableServiceClient, BlobServiceClient]:
    options: dict[str, Any] = {**_TIMEOUTS, **_QUICK_RETRY}
    table_options: dict[str, Any] = {**_TIMEOUTS, "retry_total": 3}
    if isinstance(where, ConnectionString):
        return (
            QueueServiceClient.from_connection_string(where.text, **options),
            TableServiceClient.from_connection_string(where.text, **table_options),
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
        BlobServiceClient(where.blob_uri, credential=credential, **options),
    )
