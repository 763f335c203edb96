metadata description = 'What the app may do: each role on its own resource, and no more than the app does there.'

@description('Object ID of the identity of the app.')
param principalId string

@description('Begin of the names of the custom roles.')
param namePrefix string

@description('Name of the storage account of the host.')
param hostStorageName string

@description('Container of the locks of the host.')
param hostsContainer string

@description('Container of the keys of the host.')
param keysContainer string

@description('Container of the deployed package.')
param packageContainer string

@description('Name of the storage account of the app.')
param dataStorageName string

@description('Queues that the host receives from, and the app or the host puts into.')
param workQueues string[]

@description('Queues that the app or the host puts into, and that others receive from.')
param outQueues string[]

@description('Table of the records of watches.')
param watchTable string

@description('Containers of snapshots and of members.')
param snapshotContainers string[]

@description('Name of the Application Insights resource.')
param applicationInsightsName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations
var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers'
var queues = 'Microsoft.Storage/storageAccounts/queueServices/queues'
var tables = 'Microsoft.Storage/storageAccounts/tableServices/tables'

module queueWorker 'custom-role.bicep' = {
  name: 'role-queue-worker'
  params: {
    name: '${namePrefix} queue worker'
    text: 'Makes a queue, puts, receives, renews and removes its messages; does not delete it.'
    actions: ['${queues}/read', '${queues}/write']
    dataActions: [
      '${queues}/messages/read'
      '${queues}/messages/write'
      '${queues}/messages/add/action'
      '${queues}/messages/process/action'
    ]
  }
}

module queueSender 'custom-role.bicep' = {
  name: 'role-queue-sender'
  params: {
    name: '${namePrefix} queue sender'
    text: 'Makes a queue and puts messages into it; does not read them.'
    actions: ['${queues}/read', '${queues}/write']
    dataActions: ['${queues}/messages/add/action']
  }
}

module recordKeeper 'custom-role.bicep' = {
  name: 'role-record-keeper'
  params: {
    name: '${namePrefix} record keeper'
    text: 'Makes a table, reads, writes and removes its rows; does not delete it.'
    actions: ['${tables}/write']
    dataActions: ['${tables}/entities/read', '${tables}/entities/write', '${tables}/entities/delete']
  }
}

module snapshotKeeper 'custom-role.bicep' = {
  name: 'role-snapshot-keeper'
  params: {
    name: '${namePrefix} snapshot keeper'
    text: 'Makes a container, reads, writes, tags and removes its blobs; does not delete it.'
    actions: ['${blobs}/read', '${blobs}/write']
    dataActions: [
      '${blobs}/blobs/read'
      '${blobs}/blobs/write'
      '${blobs}/blobs/delete'
      '${blobs}/blobs/tags/write'
    ]
  }
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: hostStorage
  name: 'default'
}

resource hosts 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: hostBlobs
  name: hostsContainer
}

resource secrets 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: hostBlobs
  name: keysContainer
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: hostBlobs
  name: packageContainer
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource snapshots 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for container in snapshotContainers: {
    parent: dataBlobs
    name: container
  }
]

resource dataQueues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource work 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for queue in workQueues: {
    parent: dataQueues
    name: queue
  }
]

resource out 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for queue in outQueues: {
    parent: dataQueues
    name: queue
  }
]

resource dataTables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource watches 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' existing = {
  parent: dataTables
  name: watchTable
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource onHosts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hosts.id, principalId, roles.blobDataContributor)
  scope: hosts
  properties: {
    description: 'The host keeps its locks here, and when its timers last ran.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

resource onSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secrets.id, principalId, roles.blobDataContributor)
  scope: secrets
  properties: {
    description: 'The host keeps its keys here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

resource onPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(packages.id, principalId, roles.blobDataContributor)
  scope: packages
  properties: {
    description: 'The deployed package is put here, and the host starts from it.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

resource onBlobsOfHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, roles.blobDataReader)
  scope: hostStorage
  properties: {
    description: 'The host checks its storage by listing the containers.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataReader)
  }
}

resource onTablesOfHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, roles.tableDataContributor)
  scope: hostStorage
  properties: {
    description: 'The host writes its own diagnostic events, into a new table each month.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableDataContributor)
  }
}

resource onWork 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queue, index) in workQueues: {
    name: guid(work[index].id, principalId, 'queue worker')
    scope: work[index]
    properties: {
      description: 'The host receives and renews messages here, and puts here what it gave up; the app puts messages.'
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: queueWorker.outputs.id
    }
  }
]

resource onOut 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queue, index) in outQueues: {
    name: guid(out[index].id, principalId, 'queue sender')
    scope: out[index]
    properties: {
      description: 'The app puts events here, or the host what it gave up; the queue is made where it is missing.'
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: queueSender.outputs.id
    }
  }
]

resource onWatchTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watches.id, principalId, 'record keeper')
  scope: watches
  properties: {
    description: 'The app keeps the records of watches here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: recordKeeper.outputs.id
  }
}

resource onSnapshots 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, index) in snapshotContainers: {
    name: guid(snapshots[index].id, principalId, 'snapshot keeper')
    scope: snapshots[index]
    properties: {
      description: 'The app writes snapshots here, compares them with the one before, and tags that one.'
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: snapshotKeeper.outputs.id
    }
  }
]

resource onApplicationInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, principalId, roles.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    description: 'Telemetry is accepted from this identity only.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}
