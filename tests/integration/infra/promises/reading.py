"""Find things in what is deployed."""

from collections.abc import Iterator
from typing import Any

from tests.support.arm.deployment import Deployment, Resource

STORAGE = "Microsoft.Storage/storageAccounts"
FACE = "Microsoft.CognitiveServices/accounts"
SITE = "Microsoft.Web/sites"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"


def app_settings(deployed: Deployment) -> dict[str, str]:
    """Return the settings that the app would see."""
    return {one["name"]: one["value"] for one in deployed.one(SITE).properties["siteConfig"]["appSettings"]}


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a value, keys too."""
    match value:
        case dict():
            for key, item in value.items():
                yield key
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)
        case str():
            yield value


def data_account(deployed: Deployment) -> Resource:
    """Return the storage account that the app is pointed at."""
    address = app_settings(deployed)["DataStorage__queueServiceUri"]
    (account,) = (one for one in deployed.of(STORAGE) if address.startswith(f"https://{one.name}.queue."))
    return account
