import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import USUAL_PORTS, WELL_KNOWN, Azurite, Ports, connection_string, new_account, start_azurite
from local.processes import free_port
from shared.settings import ConnectionString, StorageIdentity, load_settings
from shared.storage import WATCH_TABLE, Storage, connect
from tests.support.builders import environment
from tests.support.fresh import fresh_wiring
from tests.support.scripted_server import http, scripted_server

QUEUES = ["snapshot-requests", "training-results", "training-watch", "training-watch-poison"]
TABLES = ["trainingwatches"]
ACCOUNT = "AccountName=someone;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/b;QueueEndpoint=http://127.0.0.1:1/q;"
CONTAINERS = ["face-members", "face-snapshots"]
QUEUE_FIELDS = ["watch_queue", "poison_queue", "results_queue", "snapshot_requests_queue"]


@pytest.fixture
def nothing(storage: Storage) -> Iterator[Storage]:
    """Return the app's storage with nothing made."""
    for name in QUEUE_FIELDS:
        getattr(storage, name).delete_queue()
    storage.watch_table.delete_table()
    storage.snapshot_container.delete_container()
    storage.members_container.delete_container()
    yield storage
    storage.poison_queue.delete_queue()


def made(azurite: Azurite) -> tuple[list[str], list[str], list[str]]:
    """Return the names of all queues, tables and containers."""
    where = azurite.connection_string
    with (
        QueueServiceClient.from_connection_string(where) as queues,
        TableServiceClient.from_connection_string(where) as tables,
        BlobServiceClient.from_connection_string(where) as blobs,
    ):
        return (
            [name for queue in queues.list_queues() if (name := str(queue.name)) in QUEUES],
            [table.name for table in tables.list_tables() if table.name in TABLES],
            [container.name for container in blobs.list_containers() if container.name in CONTAINERS],
        )


def test_what_is_missing_is_made_and_what_is_there_stays(nothing: Storage, azurite: Azurite) -> None:
    assert made(azurite) == ([], [], [])
    nothing.make_missing()
    assert made(azurite) == (QUEUES, TABLES, CONTAINERS)
    nothing.watch_queue.send_message("my-group")
    nothing.watch_table.create_entity({"PartitionKey": "a", "RowKey": "b"})
    nothing.snapshot_container.upload_blob("a", b"b")
    nothing.make_missing()
    assert nothing.watch_queue.peek_messages()[0].content == "my-group"
    assert nothing.watch_table.get_entity("a", "b")
    assert nothing.snapshot_container.get_blob_client("a").exists()


@pytest.mark.parametrize("missing", [*QUEUE_FIELDS, "watch_table", "snapshot_container", "members_container"])
def test_each_one_alone_is_made(storage: Storage, azurite: Azurite, missing: str) -> None:
    client = getattr(storage, missing)
    (getattr(client, "delete_queue", None) or getattr(client, "delete_table", None) or client.delete_container)()
    storage.make_missing()
    assert made(azurite) == (QUEUES, TABLES, CONTAINERS)


def test_each_job_makes_what_it_needs_alone(nothing: Storage, azurite: Azurite) -> None:
    nothing.make_watch_parts()
    assert made(azurite) == (QUEUES[1:], TABLES, [])
    nothing.make_snapshot_parts()
    assert made(azurite) == (QUEUES, TABLES, ["face-snapshots"])
    nothing.make_member_parts()
    assert made(azurite) == (QUEUES, TABLES, CONTAINERS)


def test_watching_goes_on_while_the_blobs_are_down(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f":{free_port()}/"
    for name, value in environment(
        DataStorage=azurite.connection_string.replace(f":{azurite.ports.blob}/", nowhere)
    ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("shared.storage._QUICK_RETRY", {"retry_total": 0})
    with fresh_wiring() as wiring:
        with pytest.raises(ServiceRequestError):
            wiring.snapshot_storage()
        assert wiring.watch_storage().results_queue.peek_messages() == []


def test_many_instances_may_make_them_at_once(nothing: Storage, azurite: Azurite) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: nothing.make_missing(), range(8)))
    assert made(azurite) == (QUEUES, TABLES, CONTAINERS)


def test_a_queue_that_somebody_made_with_metadata_is_taken_as_it_is(nothing: Storage) -> None:
    nothing.poison_queue.create_queue(metadata={"owner": "faces"})
    nothing.make_missing()
    assert nothing.poison_queue.get_queue_properties().metadata == {"owner": "faces"}


def test_storage_that_starts_after_the_app_is_reached_when_it_is_there() -> None:
    ports = Ports(blob=free_port(), queue=free_port(), table=free_port())
    account = new_account()
    early = connect(ConnectionString(connection_string(ports, account)))
    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(early.make_missing)
        with start_azurite(ports=ports, account=account) as late:
            making.result()
            assert made(late) == (QUEUES, TABLES, CONTAINERS)


def test_development_storage_is_azurite_with_its_well_known_key() -> None:
    found = load_settings(environment(DataStorage="UseDevelopmentStorage=true")).data_storage
    assert isinstance(found, ConnectionString)
    usual = connect(found)
    assert usual.watch_queue.url == "http://127.0.0.1:10001/devstoreaccount1/training-watch"
    assert usual.watch_table.url == "http://127.0.0.1:10002/devstoreaccount1"
    assert usual.snapshot_container.url == "http://127.0.0.1:10000/devstoreaccount1/face-snapshots"
    elsewhere = found.text
    with start_azurite(account=WELL_KNOWN) as azurite:
        for service in ("blob", "queue", "table"):
            elsewhere = elsewhere.replace(f":{getattr(USUAL_PORTS, service)}/", f":{getattr(azurite.ports, service)}/")
        connect(ConnectionString(elsewhere)).make_missing()


def test_storage_by_identity_is_built_without_a_call() -> None:
    for managed in (True, False):
        built = connect(
            StorageIdentity(
                queue_uri="https://data.queue.core.windows.net",
                table_uri="https://data.table.core.windows.net",
                blob_uri="https://data.blob.core.windows.net",
                managed=managed,
                client_id="0f7d",
            )
        )
        assert built.results_queue.url == "https://data.queue.core.windows.net/training-results"
        assert built.watch_table.url == "https://data.table.core.windows.net"
        assert built.snapshot_container.url == "https://data.blob.core.windows.net/face-snapshots"


def test_the_addresses_of_rows_which_hold_ids_are_not_logged_above_debug(
    storage: Storage, azurite: Azurite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(DataStorage=azurite.connection_string).items():
        monkeypatch.setenv(name, value)
    with fresh_wiring() as wiring, caplog.at_level(logging.INFO):
        wiring.watch_storage()
        storage.watch_table.create_entity({"PartitionKey": "largePersonGroup:my-group", "RowKey": "b"})
        storage.watch_table.get_entity("largePersonGroup:my-group", "b")
    assert "my-group" not in caplog.text


def test_the_clients_of_one_storage_do_not_disturb_those_of_another(storage: Storage) -> None:
    uris = ("https://data.queue.example", "https://data.table.example", "https://data.blob.example")
    connect(StorageIdentity(*uris, managed=False, client_id=None))
    storage.watch_queue.send_message("my-group")
    assert storage.watch_queue.peek_messages()[0].content == "my-group"


def test_a_missing_queue_is_an_error_of_the_storage(nothing: Storage) -> None:
    with pytest.raises(ResourceNotFoundError):
        nothing.results_queue.send_message("event")
    nothing.make_missing()


def test_calls_go_through_the_environments_proxy_but_to_the_hosts_that_it_excepts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = http(403, keep=True)
    with scripted_server(refusal) as proxy, scripted_server(refusal) as account:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for endpoint in ("http://storage.example", account.endpoint):
            table = connect(ConnectionString(f"{ACCOUNT}TableEndpoint={endpoint}/someone")).watch_table
            with pytest.raises(HttpResponseError):
                table.get_entity("a", "b")

    assert [head.split("'")[0] for head in proxy.requests] == [
        f"GET http://storage.example/someone/{WATCH_TABLE}(PartitionKey="
    ]
    assert [head.split("'")[0] for head in account.requests] == [f"GET /someone/{WATCH_TABLE}(PartitionKey="]
