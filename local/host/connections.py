"""A binding's ``connection``: the app settings that it names, and a client made of them."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from azure.core.credentials import TokenCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import LinearRetry, QueueServiceClient

from local import azurite
from local.host.errors import SettingError

DEFAULT_CONNECTION = "Storage"  # AzureWebJobsStorage
_PREFIX = "AzureWebJobs"


class ConnectionString(msgspec.Struct, frozen=True):
    """A whole connection string, with its secret."""

    value: str


class Identity(msgspec.Struct, frozen=True):
    """A service's address, and the identity to use there."""

    service_uri: str
    credential: str | None
    client_id: str | None


def resolve_connection(
    name: str, settings: Mapping[str, str], service: Literal["queue", "blob"] = "queue"
) -> ConnectionString | Identity:
    """Return what the app settings hold under a connection's name: as ``AzureWebJobsNAME``, else as ``NAME``.

    They hold a connection string, or ``NAME__queueServiceUri`` (``NAME__blobServiceUri``) with ``NAME__credential`` and
    ``NAME__clientId``
    (https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection).

    Raises:
        SettingError: neither is set.
    """
    name = name or DEFAULT_CONNECTION
    for candidate in (_PREFIX + name, name):
        if value := settings.get(candidate):
            return ConnectionString(_development_storage(value))
        if uri := settings.get(f"{candidate}__{service}ServiceUri"):
            return Identity(uri, settings.get(f"{candidate}__credential"), settings.get(f"{candidate}__clientId"))
    raise SettingError(
        f"connection '{name}': found neither a connection string in {_PREFIX}{name} or {name}, "
        f"nor {name}__{service}ServiceUri. Set one in local.settings.json."
    )


def connect_queues(name: str, settings: Mapping[str, str]) -> QueueServiceClient:
    """Return a client of the queue service that a connection names.

    Raises:
        SettingError: the settings name no queue service, or are malformed.
    """
    return _connect(QueueServiceClient, name, resolve_connection(name, settings, "queue"))


def connect_blobs(name: str, settings: Mapping[str, str]) -> BlobServiceClient:
    """Return a client of the blob service that a connection names.

    Raises:
        SettingError: the settings name no blob service, or are malformed.
    """
    return _connect(BlobServiceClient, name, resolve_connection(name, settings, "blob"))


def _connect[T: (QueueServiceClient, BlobServiceClient)](
    client: type[T], name: str, connection: ConnectionString | Identity
) -> T:
    # The listeners have their own, longer back-off; this covers a single lost response.
    retry = LinearRetry(backoff=1, retry_total=1)
    if isinstance(connection, Identity):
        return client(connection.service_uri, _credential(connection), retry_policy=retry)
    try:
        return client.from_connection_string(connection.value, retry_policy=retry)
    except ValueError as error:
        raise SettingError(f"connection '{name}' is not a storage connection string: {error}.") from None


def _development_storage(value: str) -> str:
    if value.replace(" ", "").rstrip(";").lower() != "usedevelopmentstorage=true":
        return value
    return azurite.connection_string(azurite.USUAL_PORTS)


def _credential(identity: Identity) -> TokenCredential:
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if identity.credential is None:
        return DefaultAzureCredential()
    if identity.credential.lower() != "managedidentity":
        raise SettingError(f"'__credential' is '{identity.credential}'; expected managedidentity, or nothing.")
    return ManagedIdentityCredential(client_id=identity.client_id)
