metadata description = 'What the app keeps: the queues and the table of its watches, and its snapshots.'

@description('Name of the account.')
param accountName string

@description('Days after which a snapshot is deleted.')
@minValue(7)
@maxValue(3650)
param snapshotRetentionDays int

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: accountName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource watchQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: 'training-watch'
}

resource poisonQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: 'training-watch-poison'
}

resource resultsQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: 'training-results'
}

resource watchTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = {
  parent: tableService
  name: 'trainingwatches'
}

resource snapshots 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'face-snapshots'
  properties: {
    publicAccess: 'None'
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-old-snapshots'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              // With its last slash, so that the pointer, dynamic-person-groups-latest.json, is kept.
              prefixMatch: ['${snapshots.name}/dynamic-person-groups/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: snapshotRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

@description('Queue of requests and follow-ups.')
output watchQueue string = watchQueue.name

@description('Queue of messages that the host gave up.')
output poisonQueue string = poisonQueue.name

@description('Queue of events.')
output resultsQueue string = resultsQueue.name

@description('Table of the records of watches.')
output watchTable string = watchTable.name

@description('Container of the snapshots.')
output snapshotContainer string = snapshots.name
