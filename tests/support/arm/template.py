"""Resolve a compiled template for given parameters: what would be deployed, with the values that Azure would see."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.support.arm.expressions import PURE, Functions, at_index, evaluate, unroll

DEPLOYMENT = "Microsoft.Resources/deployments"


class AbsentResource(Exception):
    """A resource whose condition is false was asked for its state."""


@dataclass(frozen=True)
class Cloud:
    """Name what differs between Azure's clouds."""

    storage_suffix: str
    face_domain: str


PUBLIC = Cloud("core.windows.net", "cognitiveservices.azure.com")
US_GOVERNMENT = Cloud("core.usgovcloudapi.net", "cognitiveservices.azure.us")


@dataclass(frozen=True)
class Place:
    """Name the resource group that something is deployed into."""

    subscription: str = "00000000-0000-0000-0000-00000000000a"
    resource_group: str = "rg-face-ops"

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    def resource_id(self, kind: str, *names: str) -> str:
        return self.id + _beneath(kind, *names)


def _beneath(kind: str, *names: str) -> str:
    """Return the part of a resource's ID that follows its scope."""
    namespace, *types = kind.split("/")
    pairs = "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))
    return f"/providers/{namespace}/{pairs}"


@dataclass(frozen=True)
class Resource:
    """Hold one resource as it would be sent to Azure; ``scope`` is the ID of what an extension is put on."""

    id: str
    kind: str
    name: str
    scope: str | None
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("properties", {})
        return properties


@dataclass
class Resolved:
    """Hold what a template comes to: its resources, the IDs of those left out, and its outputs."""

    template: Mapping[str, Any]
    resources: list[Resource] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type."""
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str) -> Resource:
        """Return the only resource of a type."""
        (only,) = self.of(kind)
        return only


def resolve(template: Mapping[str, Any], parameters: Mapping[str, Any], cloud: Cloud = PUBLIC) -> Resolved:
    """Resolve a template and the modules in it.

    Raises:
        AbsentResource: where a value comes from a resource whose condition is false.
        KeyError: where a parameter is missing, or an expression uses a function that is not known here.
    """
    resolved = Resolved(template)
    deployment = _Deployment(template, parameters, Place(), cloud, resolved)
    resolved.outputs = {name: output["value"] for name, output in deployment.outputs.items()}
    return resolved


class _Deployment:
    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any],
        place: Place,
        cloud: Cloud,
        resolved: Resolved,
    ) -> None:
        self._template, self._place, self._cloud, self._resolved = template, place, cloud, resolved
        given = template.get("resources", {})
        self._symbols = given if isinstance(given, dict) else {str(at): one for at, one in enumerate(given)}
        self._functions: Functions = {
            **PURE,
            "extensionResourceId": lambda scope, kind, *names: scope + _beneath(kind, *names),
            "environment": lambda: {"suffixes": {"storage": cloud.storage_suffix}},
            "listKeys": lambda *_: {"keys": [{"value": "AccountKey=secret"}]},
            "parameters": self._parameter,
            "reference": self._reference,
            "resourceGroup": lambda: {"id": place.id, "name": place.resource_group, "location": "westeurope"},
            "resourceId": place.resource_id,
            "subscription": lambda: {
                "id": f"/subscriptions/{place.subscription}",
                "subscriptionId": place.subscription,
            },
            "subscriptionResourceId": lambda kind, name: f"/subscriptions/{place.subscription}/providers/{kind}/{name}",
            "variables": self._variable,
        }
        self._given = parameters
        self._states: dict[str, dict[str, Any]] = {}
        for symbol in self._symbols:
            self._deploy(symbol)

    @cached_property
    def outputs(self) -> dict[str, Any]:
        outputs = self._template.get("outputs", {})
        return {name: {"value": self._value(output["value"])} for name, output in outputs.items()}

    def _value(self, value: Any) -> Any:
        return evaluate(value, self._functions)

    def _parameter(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        return self._value(self._template["parameters"][name]["defaultValue"])

    def _variable(self, name: str) -> Any:
        variables = self._template["variables"]
        for loop in variables.get("copy", []):
            if loop["name"] == name:
                return unroll(loop, loop["input"], self._functions)
        return self._value(variables[name])

    def _reference(self, target: str, *_: str) -> Any:
        """Return the state of a resource by its symbol or its ID."""
        if target in self._symbols:
            self._deploy(target)
        if target not in self._states:
            raise AbsentResource(target)
        return self._states[target]

    def _deploy(self, symbol: str) -> None:
        """Note the resources of one declaration, and their states for those who refer to them; once only."""
        if symbol in self._states:
            return
        declared = self._symbols[symbol]
        wanted = self._value(declared.get("condition", True))
        for functions in self._rounds(declared):
            name = evaluate(declared["name"], functions)
            place = self._place_of(declared)
            scope = evaluate(declared.get("scope"), functions)
            if scope is not None and not scope.startswith("/"):
                scope = f"{place.id}/providers/{scope}"  # some compilers write it relative to the resource group
            resource_id = (scope or place.id) + _beneath(declared["type"], *name.split("/"))
            if not wanted:
                self._resolved.absent.add(resource_id)
                continue
            if declared["type"] == DEPLOYMENT:
                state = {"outputs": self._deploy_module(declared, place, functions)}
            else:
                left_out = ("condition", "copy", "dependsOn", "existing")
                body = evaluate({key: item for key, item in declared.items() if key not in left_out}, functions)
                state = self._state(declared["type"], name, body.get("properties", {}))
                if not declared.get("existing"):
                    self._resolved.resources.append(Resource(resource_id, declared["type"], name, scope, body))
            self._states[symbol] = self._states[resource_id] = state

    def _rounds(self, declared: Mapping[str, Any]) -> Iterator[Functions]:
        if "copy" not in declared:
            yield self._functions
            return
        for index in range(self._value(declared["copy"]["count"])):
            yield at_index(self._functions, index)

    def _place_of(self, declared: Mapping[str, Any]) -> Place:
        return Place(
            self._value(declared.get("subscriptionId", self._place.subscription)),
            self._value(declared.get("resourceGroup", self._place.resource_group)),
        )

    def _deploy_module(self, declared: Mapping[str, Any], place: Place, functions: Functions) -> dict[str, Any]:
        properties = declared["properties"]
        given = properties.get("parameters", {}).items()
        parameters = {name: evaluate(value, functions)["value"] for name, value in given}
        return _Deployment(properties["template"], parameters, place, self._cloud, self._resolved).outputs

    def _state(self, kind: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties that Azure would answer: those sent, and those that it adds."""
        added: dict[str, Any] = {}
        match kind:
            case "Microsoft.Storage/storageAccounts":
                services = ("blob", "queue", "table")
                suffix = self._cloud.storage_suffix
                added["primaryEndpoints"] = {one: f"https://{name}.{one}.{suffix}/" for one in services}
            case "Microsoft.CognitiveServices/accounts":
                added["endpoint"] = f"https://{name}.{self._cloud.face_domain}/"
            case "Microsoft.ManagedIdentity/userAssignedIdentities":
                added["clientId"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"client {name}"))
                added["principalId"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"principal {name}"))
            case "Microsoft.Insights/components":
                added["ConnectionString"] = f"InstrumentationKey={uuid.uuid5(uuid.NAMESPACE_OID, name)}"
        return {**properties, **added}
