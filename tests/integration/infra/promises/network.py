"""What can be reached, and under which name."""

import re
from collections.abc import Iterator

from tests.integration.infra.cases import Case
from tests.integration.infra.promises.reading import FACE, SITE, STORAGE, texts
from tests.support.arm.template import Resolved

ZONE = "Microsoft.Network/privateDnsZones"


def nothing_refers_to_what_is_left_out(deployed: Resolved, _: Case) -> None:
    mentioned = {text for one in deployed.resources for text in texts(one.body)}
    assert not mentioned & deployed.absent


def isolation_is_whole_or_absent(deployed: Resolved, case: Case) -> None:
    access = {one.properties["publicNetworkAccess"] for one in deployed.of(STORAGE) + deployed.of(FACE)}
    rules = {one.properties["networkAcls"]["defaultAction"] for one in deployed.of(STORAGE) + deployed.of(FACE)}
    subnet = deployed.one(SITE).properties["virtualNetworkSubnetId"]
    network = [one for one in deployed.resources if one.kind.startswith("Microsoft.Network/")]
    if not case.isolated:
        assert (access, rules, subnet, network) == ({"Enabled"}, {"Allow"}, None, [])
        return
    assert (access, rules) == ({"Disabled"}, {"Deny"})
    assert subnet in {one.id for one in network}
    wanted = {(one.id, group) for one in deployed.of(STORAGE) for group in ("blob", "queue", "table")}
    wanted |= {(one.id, "account") for one in deployed.of(FACE)} or {(str(case.existing_face), "account")}
    assert dict(_endpoints(deployed)).keys() == wanted
    linked = {one.name.partition("/")[0] for one in deployed.of(f"{ZONE}/virtualNetworkLinks")}
    for (target, group), zone in _endpoints(deployed):
        host = (
            deployed.outputs["FACE_ENDPOINT"]
            if group == "account"
            else f"https://x.{group}.{case.cloud.storage_suffix}/"
        )
        assert zone == f"privatelink.{host.split('/')[2].partition('.')[2]}", target
        assert zone in linked


def _endpoints(deployed: Resolved) -> Iterator[tuple[tuple[str, str], str]]:
    zones = {one.id: one.name for one in deployed.of(ZONE)}
    names = deployed.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    for endpoint in deployed.of("Microsoft.Network/privateEndpoints"):
        (connection,) = endpoint.properties["privateLinkServiceConnections"]
        (own,) = (one for one in names if one.name == f"{endpoint.name}/default")
        (config,) = own.properties["privateDnsZoneConfigs"]
        target = connection["properties"]["privateLinkServiceId"], connection["properties"]["groupIds"][0]
        yield target, zones[config["properties"]["privateDnsZoneId"]]


def no_cloud_is_written_out(deployed: Resolved, case: Case) -> None:
    everything = "\n".join(texts([one.body for one in deployed.resources] + [deployed.outputs]))
    hosts = set(re.findall(r"[\w-]+(?:\.[\w-]+)*\.(?:windows\.net|azure\.\w+|usgovcloudapi\.net)\b", everything))
    assert hosts
    assert {one for one in hosts if not one.endswith((case.cloud.storage_suffix, case.cloud.face_domain))} == set()
