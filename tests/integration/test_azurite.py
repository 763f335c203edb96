from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import WELL_KNOWN, Account, Azurite, Ports, connection_string, new_account, start_azurite
from local.processes import ChildError


def test_the_connection_string_reaches_all_three_services(azurite: Azurite) -> None:
    with (
        BlobServiceClient.from_connection_string(azurite.connection_string) as blobs,
        QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
        TableServiceClient.from_connection_string(azurite.connection_string) as tables,
    ):
        blobs.create_container("reaches-all-three")
        queues.create_queue("reaches-all-three")
        tables.create_table("reachesallthree")
        assert "reaches-all-three" in [container.name for container in blobs.list_containers()]
        assert "reaches-all-three" in [queue.name for queue in queues.list_queues()]
        assert "reachesallthree" in [table.name for table in tables.list_tables()]


# The client of tables warns about itself when it reads an error in XML.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
def test_the_well_known_key_opens_nothing(azurite: Azurite) -> None:
    text = connection_string(azurite.ports, Account(azurite.account.name, WELL_KNOWN.key))
    with (
        BlobServiceClient.from_connection_string(text, retry_total=0) as blobs,
        QueueServiceClient.from_connection_string(text, retry_total=0) as queues,
        TableServiceClient.from_connection_string(text, retry_total=0) as tables,
    ):
        for make in (blobs.create_container, queues.create_queue, tables.create_table):
            with pytest.raises(HttpResponseError) as rejected:
                make("stolen")
            assert rejected.value.status_code == 403


def test_the_well_known_account_does_not_exist(azurite: Azurite) -> None:
    text = connection_string(azurite.ports, WELL_KNOWN)
    with (
        QueueServiceClient.from_connection_string(text, retry_total=0) as queues,
        pytest.raises(ResourceNotFoundError),
    ):
        queues.create_queue("stolen")


def test_its_data_outlives_it_where_it_has_a_location(tmp_path: Path) -> None:
    account = new_account()
    with start_azurite(tmp_path, account=account) as first:
        with QueueServiceClient.from_connection_string(first.connection_string) as queues:
            queues.create_queue("kept")
        first.child.stop()
    with (
        start_azurite(tmp_path, account=account) as second,
        QueueServiceClient.from_connection_string(second.connection_string) as queues,
    ):
        assert [queue.name for queue in queues.list_queues()] == ["kept"]


def test_a_given_port_that_is_taken_is_an_error_that_says_so(azurite: Azurite) -> None:
    with pytest.raises(ChildError, match="EADDRINUSE"), start_azurite(ports=Ports(blob=azurite.ports.blob)):
        pass
