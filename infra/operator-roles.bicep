metadata description = 'What a person needs to use face-ops, and to read events and snapshots.'

@description('Object ID of the person or group.')
param principalId string

@description('Name of the storage account of the app.')
param dataStorageName string

@description('Queues that face-ops puts requests into.')
param requestQueues string[]

@description('Queue of events.')
param resultsQueue string

@description('Table of the records of watches.')
param watchTable string

@description('Containers of snapshots and of members.')
param snapshotContainers string[]

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  queueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource requests 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for queue in requestQueues: {
    parent: queueService
    name: queue
  }
]

resource results 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queueService
  name: resultsQueue
}

resource watches 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' existing = {
  parent: tableService
  name: watchTable
}

resource snapshots 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for container in snapshotContainers: {
    parent: blobService
    name: container
  }
]

resource onRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queue, index) in requestQueues: {
    name: guid(requests[index].id, principalId, roles.queueDataMessageSender)
    scope: requests[index]
    properties: {
      description: 'face-ops watch and face-ops snapshot put requests here.'
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataMessageSender)
    }
  }
]

resource onResults 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(results.id, principalId, roles.queueDataMessageSender)
  scope: results
  properties: {
    description: 'face-ops cancel puts the event of what it has cancelled here.'
    principalId: principalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataMessageSender)
  }
}

resource onTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watches.id, principalId, roles.tableDataContributor)
  scope: watches
  properties: {
    description: 'face-ops show and watches read records, face-ops cancel changes them.'
    principalId: principalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableDataContributor)
  }
}

resource onSnapshots 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, index) in snapshotContainers: {
    name: guid(snapshots[index].id, principalId, roles.blobDataReader)
    scope: snapshots[index]
    properties: {
      description: 'face-ops verify, diff, find and restore read snapshots.'
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataReader)
    }
  }
]
