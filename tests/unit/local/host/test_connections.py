import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from local.host.connections import ConnectionString, Identity, connect_blobs, connect_queues, resolve_connection
from local.host.errors import SettingError

URI = "https://account.queue.core.windows.net"


def test_a_connection_is_looked_for_with_the_hosts_prefix_first() -> None:
    settings = {"AzureWebJobsData": "prefixed", "Data": "plain"}
    assert resolve_connection("Data", settings) == ConnectionString("prefixed")
    assert resolve_connection("Data", {"Data": "plain"}) == ConnectionString("plain")


def test_no_name_means_the_hosts_own_storage() -> None:
    assert resolve_connection("", {"AzureWebJobsStorage": "own"}) == ConnectionString("own")
    assert resolve_connection("AzureWebJobsStorage", {"AzureWebJobsStorage": "own"}) == ConnectionString("own")


def test_development_storage_is_azurite_on_its_usual_ports() -> None:
    client = connect_queues("Data", {"Data": "UseDevelopmentStorage=true"})
    assert client.url.rstrip("/") == "http://127.0.0.1:10001/devstoreaccount1"


def test_an_address_means_an_identity() -> None:
    settings = {"Data__queueServiceUri": URI, "Data__credential": "managedidentity", "Data__clientId": "client-1"}
    assert resolve_connection("Data", settings) == Identity(URI, "managedidentity", "client-1")
    assert connect_queues("Data", settings).url.rstrip("/") == URI
    assert isinstance(connect_queues("Data", settings).credential, ManagedIdentityCredential)
    assert isinstance(connect_queues("Data", {"Data__queueServiceUri": URI}).credential, DefaultAzureCredential)


def test_the_blob_service_has_an_address_of_its_own() -> None:
    uri = "https://account.blob.core.windows.net"
    settings = {"AzureWebJobsStorage__blobServiceUri": uri, "AzureWebJobsStorage__credential": "managedidentity"}
    assert connect_blobs("", settings).url.rstrip("/") == uri
    assert connect_blobs("", {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}).url.startswith(
        "http://127.0.0.1:10000"
    )


def test_a_connection_that_is_not_there_says_what_to_set() -> None:
    with pytest.raises(SettingError, match="AzureWebJobsData or Data, nor Data__queueServiceUri"):
        resolve_connection("Data", {})


def test_a_connection_string_that_is_none_is_rejected_without_showing_it() -> None:
    with pytest.raises(SettingError, match="'Data' is not a storage connection string") as rejected:
        connect_queues("Data", {"Data": "AccountKey=secret"})
    assert "secret" not in str(rejected.value)


def test_another_credential_is_rejected() -> None:
    with pytest.raises(SettingError, match="'__credential' is 'password'; expected managedidentity"):
        connect_queues("Data", {"Data__queueServiceUri": URI, "Data__credential": "password"})
