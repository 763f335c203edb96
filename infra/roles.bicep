metadata description = 'What the app may do: each role on its own resource, and no more than that resource needs.'

@description('Object ID of the identity of the app.')
param principalId string

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

@description('Queue of requests and follow-ups.')
param watchQueue string

@description('Queue of messages that the host gave up.')
param poisonQueue string

@description('Queue of events.')
param resultsQueue string

@description('Table of the records of watches.')
param watchTable string

@description('Container of the snapshots.')
param snapshotContainer string

@description('Name of the Application Insights resource.')
param applicationInsightsName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
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

resource snapshots 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: dataBlobs
  name: snapshotContainer
}

resource dataQueues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource watch 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: dataQueues
  name: watchQueue
}

resource poison 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: dataQueues
  name: poisonQueue
}

resource results 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: dataQueues
  name: resultsQueue
}

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

resource onWatchQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watch.id, principalId, roles.queueDataContributor)
  scope: watch
  properties: {
    description: 'The host receives, renews and deletes messages here; the app puts follow-ups.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataContributor)
  }
}

resource onPoisonQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(poison.id, principalId, roles.queueDataContributor)
  scope: poison
  properties: {
    description: 'The host puts here what it gave up, and receives it from here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataContributor)
  }
}

resource onResultsQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(results.id, principalId, roles.queueDataContributor)
  scope: results
  properties: {
    description: 'The app makes the queue where it is missing, which a sender may not, and puts events here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataContributor)
  }
}

resource onWatchTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watches.id, principalId, roles.tableDataContributor)
  scope: watches
  properties: {
    description: 'The app keeps one record for each watch here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableDataContributor)
  }
}

resource onTablesOfData 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataStorage.id, principalId, roles.tableDataReader)
  scope: dataStorage
  properties: {
    description: 'The app looks which tables there are; the account holds no other than its own.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableDataReader)
  }
}

resource onSnapshots 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(snapshots.id, principalId, roles.blobDataContributor)
  scope: snapshots
  properties: {
    description: 'The app writes snapshots here, and compares them with the one before.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

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
