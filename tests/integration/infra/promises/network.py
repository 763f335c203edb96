"""What can be reached, and under which name."""

import re
from collections.abc import Iterator

from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises.reading import FACE, SITE, STORAGE, texts
from tests.support.arm.deployment import Deployment

ZONE = "Microsoft.Network/privateDnsZones"
TOPIC = "Microsoft.EventGrid/topics"


def nothing_refers_to_what_is_left_out(outcome: Outcome) -> None:
    deployed = outcome.deployment
    there = {one.id for one in deployed.resources} | {outcome.existing_face}
    for resource in deployed.resources:
        ids = {
            text
            for text in texts(resource.body)
            if re.match(r"/subscriptions/[^/]+/resourceGroups/.+/providers/", text)
        }
        assert not ids - there, f"{resource.id} refers to what is not there"


def isolation_is_whole_or_absent(outcome: Outcome) -> None:
    deployed = outcome.deployment
    access = {
        one.properties["publicNetworkAccess"] for one in deployed.of(STORAGE) + deployed.of(FACE) + deployed.of(TOPIC)
    }
    rules = {one.properties["networkAcls"]["defaultAction"] for one in deployed.of(STORAGE) + deployed.of(FACE)}
    subnet = deployed.one(SITE).properties["virtualNetworkSubnetId"]
    network = [one for one in deployed.resources if one.kind.startswith("Microsoft.Network/")]
    if not outcome.isolated:
        assert (access, rules, subnet, network) == ({"Enabled"}, {"Allow"}, None, [])
        return
    assert (access, rules) == ({"Disabled"}, {"Deny"})
    assert subnet in {one.id for one in network}
    wanted = {(one.id, group) for one in deployed.of(STORAGE) for group in ("blob", "queue", "table")}
    wanted |= {(one.id, "account") for one in deployed.of(FACE)} or {(str(outcome.existing_face), "account")}
    wanted |= {(one.id, "topic") for one in deployed.of(TOPIC)}
    assert dict(_endpoints(deployed)).keys() == wanted
    linked = {one.name.partition("/")[0] for one in deployed.of(f"{ZONE}/virtualNetworkLinks")}
    for (target, group), zone in _endpoints(deployed):
        assert zone == f"privatelink.{_domain(outcome, group)}", target
        assert zone in linked


def _domain(outcome: Outcome, group: str) -> str:
    if group == "topic":
        return "eventgrid.azure.net"
    return outcome.cloud.face_domain if group == "account" else f"{group}.{outcome.cloud.storage_suffix}"


def _endpoints(deployed: Deployment) -> Iterator[tuple[tuple[str, str], str]]:
    zones = {one.id: one.name for one in deployed.of(ZONE)}
    names = deployed.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    for endpoint in deployed.of("Microsoft.Network/privateEndpoints"):
        (connection,) = endpoint.properties["privateLinkServiceConnections"]
        (own,) = (one for one in names if one.name == f"{endpoint.name}/default")
        (config,) = own.properties["privateDnsZoneConfigs"]
        target = connection["properties"]["privateLinkServiceId"], connection["properties"]["groupIds"][0]
        yield target, zones[config["properties"]["privateDnsZoneId"]]


def no_cloud_is_written_out(outcome: Outcome) -> None:
    deployed = outcome.deployment
    everything = "\n".join(texts([one.body for one in deployed.resources] + [deployed.outputs]))
    own = (outcome.cloud.storage_suffix, outcome.cloud.face_domain, "eventgrid.azure.net")
    hosts = set(re.findall(r"[\w-]+(?:\.[\w-]+)*\.(?:windows\.net|azure\.\w+|usgovcloudapi\.net)\b", everything))
    assert hosts
    assert {one for one in hosts if not one.endswith(own)} == set()


def an_isolated_app_is_closed_but_for_its_deployment(outcome: Outcome) -> None:
    config = outcome.deployment.one(SITE).properties["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == ("Deny" if outcome.isolated else "Allow")
    assert config["scmIpSecurityRestrictionsDefaultAction"] == "Allow"
    assert config["scmIpSecurityRestrictionsUseMain"] is False


def an_isolated_app_calls_nobody_else(outcome: Outcome) -> None:
    groups = outcome.deployment.of("Microsoft.Network/networkSecurityGroups")
    for group in groups:
        if not group.name.endswith("-app"):
            continue
        rules = [one["properties"] for one in group.properties["securityRules"]]
        rules = sorted((one for one in rules if one["direction"] == "Outbound"), key=lambda rule: rule["priority"])
        *allowed, last = [(one["access"], one["destinationAddressPrefix"]) for one in rules]
        assert {destination for access, destination in allowed if access == "Allow"} == {
            "VirtualNetwork",
            "AzureActiveDirectory",
            "AzureMonitor",
        }
        assert last == ("Deny", "Internet")
    assert len(groups) == (2 if outcome.isolated else 0)
