"""Faults, and the promise that each of them breaks."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.integration.infra.promises import Promise, access, app, monitoring, network, stores


@dataclass(frozen=True)
class Fault:
    """One change of a file of ``infra/``, and the case that shows it."""

    file: str
    old: str
    new: str
    variant: str = "plain"
    public: bool = True  # whether it shows in the public cloud


FAULTS: Mapping[Promise, tuple[Fault, ...]] = {
    app.the_app_accepts_its_settings: (
        Fault("function.bicep", "  FACE_ENDPOINT: faceEndpoint\n", ""),
        Fault("function.bicep", "__tableServiceUri: dataS", "__tableUri: dataS"),
        Fault("function.bicep", "  AZURE_CLIENT_ID:", "  WATCH_TIMEOUT:"),
        Fault("main.bicep", "union(tierOptions, options)", "tierOptions", "options"),
    ),
    app.bindings_find_their_settings: (
        Fault("function.bicep", "DataStorage__queueServiceUri", "Data__queueServiceUri"),
    ),
    app.the_free_tier_is_asked_slowly: (Fault("main.bicep", "'0.33'", "'10'", "free-tier"),),
    app.the_runtime_is_the_tested_one: (Fault("function.bicep", "'3.13'", "'3.12'"),),
    app.the_package_has_its_place: (
        Fault(
            "main.bicep",
            "packageContainer: hostStorage.outputs.packageContainer\n    dataStorage: {",
            "packageContainer: 'packages'\n    dataStorage: {",
        ),
        Fault("function.bicep", "'azd-service-name': 'app'", "'azd-service-name': 'api'"),
    ),
    app.each_message_has_a_thread: (Fault("function.bicep", "'32'", "'8'"),),
    app.events_go_to_the_topic_if_there_is_one: (
        Fault("event-topic.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "event-grid"),
        Fault("function.bicep", "{ EVENTS_TOPIC_ENDPOINT:", "{ EVENT_TOPIC_ENDPOINT:", "event-grid"),
    ),
    access.each_role_has_a_reason: (
        Fault("roles.bicep", "scope: work[index]", "scope: dataStorage"),
        Fault("roles.bicep", "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
        Fault("event-topic.bicep", "scope: deadLetters", "scope: topic", "event-grid"),
        Fault("face-role.bicep", "if (allowTraining)", "if (!allowTraining)"),
        Fault(
            "main.bicep",
            "scope: resourceGroup(faceSubscription, faceResourceGroup)\n  params",
            "params",
            "existing-face",
        ),
        Fault("host-storage.bicep", "name: 'app-package'", "name: 'package'"),
        Fault("operator-roles.bicep", "scope: results", "scope: dataStorage", "operator"),
    ),
    access.a_custom_role_grants_what_is_used: (
        Fault("roles.bicep", "'${queues}/messages/add/action'", "'${queues}/messages/*'"),
        Fault("roles.bicep", "      '${blobs}/blobs/tags/write'\n", ""),
        Fault("custom-role.bicep", "[resourceGroup().id]", "[subscription().id]"),
    ),
    access.no_secret_is_written: (
        Fault(
            "storage-account.bicep",
            "output blobEndpoint string = account.properties.primaryEndpoints.blob",
            "#disable-next-line outputs-should-not-contain-secrets\n"
            "output blobEndpoint string = account.listKeys().keys[0].value",
        ),
        Fault(
            "function.bicep",
            "  FACE_ENDPOINT:",
            "  DataStorage: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b'\n  FACE_ENDPOINT:",
        ),
    ),
    access.keys_open_nothing: (
        Fault("storage-account.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        Fault("face.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
        Fault("monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
        Fault("function.bicep", "    allow: false\n", "    allow: true\n"),
    ),
    access.face_takes_tokens_on_its_own_subdomain: (Fault("face.bicep", "    customSubDomainName: name\n", ""),),
    access.http_functions_take_tokens_if_asked: (
        Fault("function.bicep", "requireAuthentication: true", "requireAuthentication: false", "entra"),
        Fault("function.bicep", "{ HTTP_AUTH: 'entra' }", "{}", "entra"),
        Fault("function.bicep", "['/api/ui']", "['/api']", "entra"),
    ),
    stores.what_the_code_names_is_made: (
        Fault("data-storage.bicep", "'training-results'", "'training-result'"),
        Fault("data-storage.bicep", "'trainingwatches'", "'watches'"),
        Fault("data-storage.bicep", "'face-snapshots'", "'snapshots'"),
        Fault("data-storage.bicep", "'snapshot-requests'", "'snapshots'"),
    ),
    stores.storage_is_closed_and_recoverable: (
        Fault("storage-account.bicep", "TLS1_2", "TLS1_0"),
        Fault("storage-account.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
        Fault("storage-account.bicep", "      enabled: true\n", "      enabled: false\n"),
    ),
    stores.superseded_snapshots_go_and_the_newest_stays: (
        Fault("data-storage.bicep", "name: 'superseded'", "name: 'old'"),
        Fault("data-storage.bicep", "Than: snapshotRetentionDays", "Than: 365"),
    ),
    network.nothing_refers_to_what_is_left_out: (
        Fault("alerts.bicep", "empty(email) ? [] : [receivers.id]", "[receivers.id]"),
        Fault(
            "main.bicep",
            "makesFace ? newFace!.outputs.endpoint : existingFace!.properties.endpoint",
            "newFace!.outputs.endpoint",
            "existing-face",
        ),
    ),
    network.isolation_is_whole_or_absent: (
        Fault("main.bicep", "'network.bicep' = if (networkIsolation) {", "'network.bicep' = {"),
        Fault("storage-account.bicep", "isolated ? 'Disabled' : 'Enabled'", "'Enabled'", "isolated"),
        Fault("face.bicep", "isolated ? 'Deny' : 'Allow'", "'Allow'", "isolated"),
        Fault("network.bicep", "{ name: 'data-table', target: dataStorageId, group: 'table' }\n", "", "isolated"),
        Fault("network.bicep", "privatelink.queue.", "privatelink.queues.", "isolated"),
        Fault("event-topic.bicep", "isolated ? 'Disabled' : 'Enabled'", "'Enabled'", "everything"),
    ),
    network.no_cloud_is_written_out: (
        Fault(
            "network.bicep",
            "'privatelink.${faceDomain}'",
            "'privatelink.cognitiveservices.azure.com'",
            "everything",
            public=False,
        ),
        Fault(
            "network.bicep",
            "queue.${environment().suffixes.storage}",
            "queue.core.windows.net",
            "everything",
            public=False,
        ),
    ),
    network.an_isolated_app_is_closed_but_for_its_deployment: (
        Fault("function.bicep", "isolated ? 'Deny' : 'Allow'", "'Allow'", "isolated"),
        Fault("function.bicep", "scmIpSecurityRestrictionsUseMain: false", "scmIpSecurityRestrictionsUseMain: true"),
    ),
    network.an_isolated_app_calls_nobody_else: (
        Fault("network.bicep", "'AzureActiveDirectory', 'AzureMonitor'", "'AzureCloud'", "isolated"),
        Fault(
            "network.bicep", "destinationAddressPrefix: 'Internet'", "destinationAddressPrefix: 'Storage'", "isolated"
        ),
    ),
    monitoring.telemetry_holds_no_address: (
        Fault("function.bicep", "LOGGER_NAME: 'shared'", "LOGGER_NAME: ''"),
        Fault("function.bicep", "requests,", ""),
    ),
    monitoring.telemetry_is_sampled_by_what_samples_it: (
        Fault("function.bicep", "'microsoft.rate_limited'", "'rate_limited'"),
    ),
    monitoring.usage_is_recorded_without_ids: (
        Fault("storage-diagnostics.bicep", "workspaceId: workspaceId", "storageAccountId: account.id"),
        Fault("storage-diagnostics.bicep", "enabled: auditRecords", "enabled: true"),
        Fault(
            "face-diagnostics.bicep",
            "category: 'AllMetrics'\n        enabled: true",
            "category: 'AllMetrics'\n        enabled: false",
        ),
    ),
    monitoring.alerts_reach_somebody: (
        Fault("alerts.bicep", "empty(email) ? [] : [receivers.id]", "[]", "email"),
        Fault("alerts.bicep", "scopes: [workspaceId]", "scopes: [resourceGroup().id]"),
        Fault("alerts.bicep", "'26h', '${snapshotMaxAgeHours}h'", "'26h', '2d'"),
        Fault("alerts.bicep", "skipQueryValidation: true", "skipQueryValidation: false"),
    ),
    monitoring.the_workbook_opens: (
        Fault("workbook.bicep", "timeContextFromParameter: 'TimeRange'", "timeContextFromParameter: 'Range'"),
    ),
    monitoring.logs_have_a_cap_and_metrics_are_rare: (
        Fault("monitoring.bicep", "dailyQuotaGb: dailyCapGb", "dailyQuotaGb: 5"),
        Fault("function.bicep", "INTERVAL: '300000'", "INTERVAL: '60000'"),
    ),
}
