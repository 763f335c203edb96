"""Finish a snapshot of the compiler: fill in what only Azure knows before it deploys."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.arm.expressions import PURE, Functions, evaluate

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
RESOURCE_GROUP = "rg-face-ops"
TENANT = "00000000-0000-0000-0000-0000000000aa"

ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITION = "Microsoft.Authorization/roleDefinitions"


class AbsentResource(Exception):
    """A resource that is not deployed was asked for its state."""


@dataclass(frozen=True)
class Cloud:
    """What differs between Azure's clouds."""

    storage_suffix: str
    face_domain: str
    login: str


PUBLIC = Cloud("core.windows.net", "cognitiveservices.azure.com", "https://login.microsoftonline.com/")
US_GOVERNMENT = Cloud("core.usgovcloudapi.net", "cognitiveservices.azure.us", "https://login.microsoftonline.us/")


@dataclass(frozen=True)
class Resource:
    """One resource as it would be sent to Azure."""

    id: str
    kind: str
    name: str
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("properties", {})
        return properties

    @property
    def scope(self) -> str:
        """The ID of what an extension, such as a role assignment, is put on."""
        return self.id.rpartition("/providers/")[0]


@dataclass(frozen=True)
class Deployment:
    """What a deployment would make, and what it would tell."""

    resources: list[Resource]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type."""
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str) -> Resource:
        """Return the only resource of a type."""
        (only,) = self.of(kind)
        return only


def deploy(snapshot: Mapping[str, Any], cloud: Cloud = PUBLIC, existing: frozenset[str] = frozenset()) -> Deployment:
    """Evaluate what the compiler left open; ``existing`` are the IDs of resources that are there already.

    Raises:
        AbsentResource: if a value comes from a resource that is not deployed.
        KeyError: if an expression uses a function that is not known here.
    """
    deployed: set[str] = set()
    functions: Functions = {
        **PURE,
        "environment": lambda: {
            "suffixes": {"storage": cloud.storage_suffix},
            "authentication": {"loginEndpoint": cloud.login},
        },
        "extensionResourceId": lambda scope, kind, *names: scope + _beneath(kind, *names),
        "listKeys": lambda *_: {"keys": [{"value": "AccountKey=secret"}]},
        "reference": lambda target, *_: _state(target, cloud, deployed | existing),
        "resourceId": lambda subscription, group, kind, *names: (
            f"/subscriptions/{subscription}/resourceGroups/{group}{_beneath(kind, *names)}"
        ),
        "tenant": lambda: {"tenantId": TENANT},
    }
    predicted = snapshot["predictedResources"]
    # An ID that is an expression itself depends on resources whose IDs are not.
    deployed |= {str(one["id"]) for one in predicted if not one["id"].startswith("[")}
    bodies = [evaluate(one, functions) for one in predicted]
    resources = [Resource(body["id"], body["type"], body["name"], body) for body in bodies]
    return Deployment(resources, evaluate(snapshot["outputs"], functions))


def _beneath(kind: str, *names: str) -> str:
    """Return the part of a resource's ID that follows its scope."""
    namespace, *types = kind.split("/")
    pairs = "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))
    return f"/providers/{namespace}/{pairs}"


def principal_of(name: str) -> str:
    """Return the object ID of the identity of a resource that has one of its own."""
    return _guid(f"principalId {name}")


def _guid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


def _state(target: str, cloud: Cloud, there: set[str] | frozenset[str]) -> dict[str, Any]:
    """Return what Azure would add to a resource."""
    if target not in there:
        raise AbsentResource(target)
    kind, _, name = target.rpartition("/providers/")[2].rpartition("/")
    match kind:
        case "Microsoft.Storage/storageAccounts":
            services = ("blob", "queue", "table")
            return {"primaryEndpoints": {one: f"https://{name}.{one}.{cloud.storage_suffix}/" for one in services}}
        case "Microsoft.CognitiveServices/accounts":
            return {"endpoint": f"https://{name}.{cloud.face_domain}/"}
        case "Microsoft.ManagedIdentity/userAssignedIdentities":
            return {"clientId": _guid(f"clientId {name}"), "principalId": principal_of(name)}
        case "Microsoft.Insights/components":
            return {"ConnectionString": f"InstrumentationKey={_guid(name)}"}
        case "Microsoft.Web/sites":
            return {"defaultHostName": f"{name}.azurewebsites.net"}
        case "Microsoft.EventGrid/topics":
            endpoint = f"https://{name}.westeurope-1.eventgrid.azure.net/api/events"
            return {"endpoint": endpoint, "identity": {"principalId": principal_of(name)}}
        case _:
            raise AbsentResource(f"nobody has said what {kind} answers")
