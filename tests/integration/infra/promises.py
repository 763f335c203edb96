"""State what must hold of every deployment; each promise raises ``AssertionError`` where it does not."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from local.host.host_json import read_host_json
from shared import storage
from shared.settings import load_settings
from shared.snapshots.manifest import DIRECTORY, POINTER_PATH
from tests.arm.template import Resolved, Resource
from tests.integration.infra.cases import Case
from tests.integration.infra.roles import REASONS
from tests.integration.infra.tools import ROOT

type Promise = Callable[[Resolved, Case], None]

STORAGE = "Microsoft.Storage/storageAccounts"
FACE = "Microsoft.CognitiveServices/accounts"
SITE = "Microsoft.Web/sites"
ZONE = "Microsoft.Network/privateDnsZones"

# Settings that the host, its worker or a library reads; whatever else is set must be the app's own.
NOT_THE_APPS = re.compile(
    r"AzureWebJobsStorage__\w+|DataStorage__\w+|APPLICATIONINSIGHTS_\w+|PYTHON_\w+|OTEL_\w+|AZURE_CLIENT_ID"
    r"|AZURE_TOKEN_CREDENTIALS"
)


class _Recording(dict[str, str]):
    """Note which settings were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def app_settings(deployed: Resolved) -> dict[str, str]:
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


def data_account(deployed: Resolved) -> Resource:
    """Return the storage account that the app is pointed at."""
    address = app_settings(deployed)["DataStorage__queueServiceUri"]
    (account,) = (one for one in deployed.of(STORAGE) if address.startswith(f"https://{one.name}.queue."))
    return account


def the_app_accepts_its_settings(deployed: Resolved, case: Case) -> None:
    settings = _Recording(app_settings(deployed))
    loaded = load_settings(settings)
    assert loaded.face_endpoint in deployed.outputs["FACE_ENDPOINT"]
    unknown = {name for name in settings if not NOT_THE_APPS.fullmatch(name)} - settings.asked
    assert not unknown, f"nothing reads {unknown}"
    assert settings.items() >= case.parameters.get("options", {}).items()


def bindings_find_their_settings(deployed: Resolved, _: Case) -> None:
    settings = app_settings(deployed)
    source = (ROOT / "function_app.py").read_text()
    for name in re.findall(r"%(\w+)%", source):
        assert name in settings
    for connection in re.findall(r'connection="(\w+)"', source):
        assert f"{connection}__queueServiceUri" in settings


def the_free_tier_is_asked_slowly(deployed: Resolved, case: Case) -> None:
    if case.parameters.get("faceSkuName") == "F0":
        assert load_settings(app_settings(deployed)).max_tps * 60 <= 20


def what_the_code_names_is_made(deployed: Resolved, _: Case) -> None:
    account = data_account(deployed).name
    made = {(one.kind.rpartition("/")[2], one.name) for one in deployed.resources}
    queues = {storage.WATCH_QUEUE, storage.POISON_QUEUE, storage.RESULTS_QUEUE}
    named = {("queues", name) for name in queues}
    named |= {("tables", storage.WATCH_TABLE), ("containers", storage.SNAPSHOT_CONTAINER)}
    missing = {one for one in named if (one[0], f"{account}/default/{one[1]}") not in made}
    assert not missing


def each_role_has_a_reason(deployed: Resolved, case: Case) -> None:
    (identity,) = deployed.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    places = {one.id for one in deployed.resources} | {case.existing_face}
    data, granted = data_account(deployed).name, set()
    for role in deployed.of("Microsoft.Authorization/roleAssignments"):
        assert role.scope in places, f"{role.scope} is not there"
        assert role.properties["principalType"] == "ServicePrincipal"
        where = str(role.scope).partition("/providers/")[2].replace(data, "DATA")
        where = re.sub(r"sthost\w+", "HOST", where)
        where = re.sub(r"(components|CognitiveServices/accounts)/[\w-]+", r"\1/*", where)
        granted.add((where, role.properties["roleDefinitionId"].rpartition("/")[2]))
    training = bool(case.parameters.get("allowTraining"))
    reasoned = {one for one, (_, only_training) in REASONS.items() if only_training in (None, training)}
    assert granted == reasoned
    assert identity.id in deployed.one(SITE).body["identity"]["userAssignedIdentities"]


def no_secret_is_written(deployed: Resolved, _: Case) -> None:
    written = r"list(Keys|AccountSas|ServiceSas|Secrets)\b|AccountKey=|SharedAccess|[?&]sig=|DefaultEndpointsProtocol"
    for text in texts([one.body for one in deployed.resources] + [deployed.outputs, deployed.template]):
        assert not re.search(written, text), text
        # Without local authentication, the key in this one opens nothing.
        assert "Key=" not in text or text.startswith("InstrumentationKey=")
    # A plain one would win over the settings of the identity.
    assert not app_settings(deployed).keys() & {"AzureWebJobsStorage", "DataStorage", "FACE_KEY"}


def keys_open_nothing(deployed: Resolved, _: Case) -> None:
    for account in deployed.of(STORAGE):
        assert account.properties["allowSharedKeyAccess"] is False
        assert account.properties["defaultToOAuthAuthentication"] is True
    for account in deployed.of(FACE):
        assert account.properties["disableLocalAuth"] is True
    assert deployed.one("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    assert deployed.one("Microsoft.OperationalInsights/workspaces").properties["features"]["disableLocalAuth"] is True
    policies = deployed.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.name.rpartition("/")[2]: one.properties["allow"] for one in policies} == {"ftp": False, "scm": False}


def storage_is_closed_and_recoverable(deployed: Resolved, _: Case) -> None:
    accounts = deployed.of(STORAGE)
    assert len(accounts) == 2
    for account in accounts:
        assert account.properties["minimumTlsVersion"] == "TLS1_2"
        assert account.properties["supportsHttpsTrafficOnly"] is True
        assert account.properties["allowBlobPublicAccess"] is False
        assert 3 <= len(account.name) <= 24
    services = deployed.of(f"{STORAGE}/blobServices")
    assert {one.name for one in services} == {f"{one.name}/default" for one in accounts}
    for service in services:
        assert service.properties["deleteRetentionPolicy"]["enabled"] is True
        assert service.properties["containerDeleteRetentionPolicy"]["enabled"] is True
    for container in deployed.of(f"{STORAGE}/blobServices/containers"):
        assert container.properties["publicAccess"] == "None"


def old_snapshots_go_and_the_pointer_stays(deployed: Resolved, case: Case) -> None:
    (rule,) = deployed.one(f"{STORAGE}/managementPolicies").properties["policy"]["rules"]
    days = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    assert days == case.parameters.get("snapshotRetentionDays", 90)
    (prefix,) = rule["definition"]["filters"]["prefixMatch"]
    assert f"{storage.SNAPSHOT_CONTAINER}/{DIRECTORY}2026/11/20/20261120T030000Z/groups.ndjson.gz".startswith(prefix)
    assert not f"{storage.SNAPSHOT_CONTAINER}/{POINTER_PATH}".startswith(prefix)


def the_runtime_is_the_tested_one(deployed: Resolved, _: Case) -> None:
    runtime = deployed.one(SITE).properties["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": f"{sys.version_info.major}.{sys.version_info.minor}"}


def the_package_has_its_place(deployed: Resolved, _: Case) -> None:
    where = deployed.one(SITE).properties["functionAppConfig"]["deployment"]["storage"]
    containers = {one.name for one in deployed.of(f"{STORAGE}/blobServices/containers")}
    host, _, container = where["value"].removeprefix("https://").partition("/")
    assert f"{host.partition('.')[0]}/default/{container}" in containers
    assert data_account(deployed).name not in where["value"]
    (identity,) = deployed.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    assert where["authentication"]["userAssignedIdentityResourceId"] == identity.id
    assert deployed.one(SITE).body["tags"]["azd-service-name"] == "app"


def each_message_has_a_thread(deployed: Resolved, _: Case) -> None:
    queues = read_host_json(Path(ROOT), {}).queues
    assert (
        int(app_settings(deployed)["PYTHON_THREADPOOL_THREAD_COUNT"]) >= queues.batch_size + queues.new_batch_threshold
    )


def telemetry_holds_no_address(deployed: Resolved, _: Case) -> None:
    from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES as INSTRUMENTED

    settings = app_settings(deployed)
    assert settings["PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME"] == "shared"
    assert set(settings["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"].split(",")) >= set(INSTRUMENTED)


def telemetry_is_sampled_by_what_samples_it(deployed: Resolved, _: Case) -> None:
    from azure.monitor.opentelemetry._constants import SUPPORTED_OTEL_SAMPLERS

    host_json = json.loads((ROOT / "host.json").read_text())
    settings = app_settings(deployed)
    assert host_json["telemetryMode"] == "OpenTelemetry"
    assert "applicationInsights" not in host_json["logging"], "it would not count"
    assert settings["PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"] == "true"
    assert settings["OTEL_TRACES_SAMPLER"] in SUPPORTED_OTEL_SAMPLERS
    assert float(settings["OTEL_TRACES_SAMPLER_ARG"]) > 0


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


def face_takes_tokens_on_its_own_subdomain(deployed: Resolved, case: Case) -> None:
    faces = deployed.of(FACE)
    assert len(faces) == (0 if case.existing_face else 1)
    for face in faces:
        assert face.body["kind"] == "Face"
        assert face.properties.get("customSubDomainName") == face.name


def usage_is_recorded_without_ids(deployed: Resolved, _: Case) -> None:
    workspace = deployed.one("Microsoft.OperationalInsights/workspaces").id
    settings = {str(one.scope): one.properties for one in deployed.of("Microsoft.Insights/diagnosticSettings")}
    wanted = {f"{a.id}/{kind}Services/default" for a in deployed.of(STORAGE) for kind in ("blob", "queue", "table")}
    assert settings.keys() == wanted | {one.id for one in deployed.of(FACE)}
    for scope, properties in settings.items():
        assert properties.get("workspaceId") == workspace
        assert any(one["enabled"] for one in properties["metrics"])
        if scope.endswith(("queueServices/default", "tableServices/default")):
            assert not properties.get("logs"), "the address of a record holds a group's ID"


def alerts_reach_somebody(deployed: Resolved, case: Case) -> None:
    workspace = deployed.one("Microsoft.OperationalInsights/workspaces").id
    rules = deployed.of("Microsoft.Insights/scheduledQueryRules")
    names = {"watch-given-up", "training-failed", "face-refuses", "snapshot-missing", "throttled"}
    assert {name for rule in rules for name in names if rule.name.endswith(name)} == names
    groups = [one.id for one in deployed.of("Microsoft.Insights/actionGroups")]
    assert len(groups) == bool(case.parameters.get("alertEmail"))
    for rule in rules:
        assert rule.properties["enabled"] is True
        assert rule.properties["scopes"] == [workspace]
        assert rule.properties["actions"]["actionGroups"] == groups


def the_workbook_opens(deployed: Resolved, _: Case) -> None:
    workbook = json.loads(deployed.one("Microsoft.Insights/workbooks").properties["serializedData"])
    (time_range, *charts) = workbook["items"]
    (parameter,) = time_range["content"]["parameters"]
    assert charts
    for chart in charts:
        assert chart["content"]["timeContextFromParameter"] == parameter["name"]
        assert chart["content"]["query"]


PROMISES: tuple[Promise, ...] = (
    the_app_accepts_its_settings,
    bindings_find_their_settings,
    the_free_tier_is_asked_slowly,
    what_the_code_names_is_made,
    each_role_has_a_reason,
    no_secret_is_written,
    keys_open_nothing,
    storage_is_closed_and_recoverable,
    old_snapshots_go_and_the_pointer_stays,
    the_runtime_is_the_tested_one,
    the_package_has_its_place,
    each_message_has_a_thread,
    telemetry_holds_no_address,
    telemetry_is_sampled_by_what_samples_it,
    nothing_refers_to_what_is_left_out,
    isolation_is_whole_or_absent,
    no_cloud_is_written_out,
    face_takes_tokens_on_its_own_subdomain,
    usage_is_recorded_without_ids,
    alerts_reach_somebody,
    the_workbook_opens,
)
