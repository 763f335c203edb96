"""Name faults, and the promise that each of them breaks."""

from collections.abc import Mapping

from tests.integration.infra.promises import Promise, access, app, monitoring, network, stores

type Edit = tuple[str, str, str]
"""A file of ``infra/``, what stands in it, and what stands there instead where the fault is put in."""

FAULTS: Mapping[Promise, tuple[Edit, ...]] = {
    app.the_app_accepts_its_settings: (
        ("function.bicep", "  FACE_ENDPOINT: faceEndpoint\n", ""),
        ("function.bicep", "__tableServiceUri: dataS", "__tableUri: dataS"),
        ("function.bicep", "  AZURE_CLIENT_ID:", "  WATCH_TIMEOUT:"),
        ("main.bicep", "union(tierOptions, options)", "empty(options) ? options : tierOptions"),
    ),
    app.bindings_find_their_settings: (("function.bicep", "DataStorage__queueServiceUri", "Data__queueServiceUri"),),
    app.the_free_tier_is_asked_slowly: (("main.bicep", "'0.33'", "'10'"),),
    stores.what_the_code_names_is_made: (
        ("data-storage.bicep", "'training-results'", "'training-result'"),
        ("data-storage.bicep", "'trainingwatches'", "'watches'"),
        ("data-storage.bicep", "'face-snapshots'", "'snapshots'"),
    ),
    access.each_role_has_a_reason: (
        ("roles.bicep", "  scope: watch\n", "  scope: dataStorage\n"),
        ("roles.bicep", "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
        ("face-role.bicep", "allowTraining ? cogn", "!allowTraining ? cogn"),
        ("main.bicep", "resourceGroup().name : split", "resourceGroup().name : resourceGroup().name ?? split"),
        ("host-storage.bicep", "name: 'app-package'", "name: 'package'"),
    ),
    access.no_secret_is_written: (
        (
            "storage-account.bicep",
            "primaryEndpoints.blob\n",
            ("primaryEndpoints.blob\n\n@description('Key.')\noutput key string = account.listKeys().keys[0].value\n"),
        ),
        (
            "function.bicep",
            "  FACE_ENDPOINT:",
            "  DataStorage: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b'\n  FACE_ENDPOINT:",
        ),
    ),
    access.keys_open_nothing: (
        ("storage-account.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        ("face.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
        ("monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
        ("function.bicep", "    allow: false\n", "    allow: true\n"),
    ),
    stores.storage_is_closed_and_recoverable: (
        ("storage-account.bicep", "TLS1_2", "TLS1_0"),
        ("storage-account.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
        ("storage-account.bicep", "      enabled: true\n", "      enabled: false\n"),
    ),
    stores.old_snapshots_go_and_the_pointer_stays: (
        ("data-storage.bicep", "/dynamic-person-groups/'", "/dynamic-person-groups'"),
        ("data-storage.bicep", "Than: snapshotRetentionDays", "Than: 365"),
    ),
    app.the_runtime_is_the_tested_one: (("function.bicep", "'3.13'", "'3.12'"),),
    app.the_package_has_its_place: (
        (
            "main.bicep",
            "packageContainer: hostStorage.outputs.packageContainer\n    dataStorage: {",
            "packageContainer: 'packages'\n    dataStorage: {",
        ),
        ("function.bicep", "'azd-service-name': 'app'", "'azd-service-name': 'api'"),
    ),
    app.each_message_has_a_thread: (("function.bicep", "'32'", "'8'"),),
    monitoring.telemetry_holds_no_address: (
        ("function.bicep", "LOGGER_NAME: 'shared'", "LOGGER_NAME: ''"),
        ("function.bicep", "requests,", ""),
    ),
    monitoring.telemetry_is_sampled_by_what_samples_it: (
        ("function.bicep", "'microsoft.rate_limited'", "'rate_limited'"),
    ),
    network.nothing_refers_to_what_is_left_out: (
        ("alerts.bicep", "empty(email) ? [] : [receivers.id]", "[receivers.id]"),
        ("main.bicep", "networkIsolation ? network!.outputs.appSubnetId : ''", "network!.outputs.appSubnetId"),
        (
            "main.bicep",
            "makesFace ? newFace!.outputs.endpoint : existingFace!.properties.endpoint",
            "newFace!.outputs.endpoint",
        ),
    ),
    network.isolation_is_whole_or_absent: (
        ("main.bicep", "= if (networkIsolation) {", "= {"),
        ("storage-account.bicep", "isolated ? 'Disabled' : 'Enabled'", "'Enabled'"),
        ("face.bicep", "isolated ? 'Deny' : 'Allow'", "'Allow'"),
        ("network.bicep", "  { name: 'data-table', target: dataStorageId, group: 'table' }\n", ""),
        ("network.bicep", "privatelink.queue.", "privatelink.queues."),
    ),
    network.no_cloud_is_written_out: (
        ("network.bicep", "'privatelink.${faceDomain}'", "'privatelink.cognitiveservices.azure.com'"),
        ("network.bicep", "queue.${environment().suffixes.storage}", "queue.core.windows.net"),
    ),
    access.face_takes_tokens_on_its_own_subdomain: (("face.bicep", "    customSubDomainName: name\n", ""),),
    monitoring.usage_is_recorded_without_ids: (
        ("storage-diagnostics.bicep", "workspaceId: workspaceId", "storageAccountId: account.id"),
        (
            "storage-diagnostics.bicep",
            "scope: tableService\n  properties: {\n",
            ("scope: tableService\n  properties: {\n    logs: [{ categoryGroup: 'allLogs', enabled: true }]\n"),
        ),
        (
            "face-diagnostics.bicep",
            "category: 'AllMetrics'\n        enabled: true",
            "category: 'AllMetrics'\n        enabled: false",
        ),
    ),
    monitoring.alerts_reach_somebody: (
        ("alerts.bicep", "empty(email) ? [] : [receivers.id]", "[]"),
        ("alerts.bicep", "scopes: [workspaceId]", "scopes: [resourceGroup().id]"),
    ),
    monitoring.the_workbook_opens: (
        ("workbook.bicep", "timeContextFromParameter: 'TimeRange'", "timeContextFromParameter: 'Range'"),
    ),
}
