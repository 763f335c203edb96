metadata description = 'What the app keeps: its queues, the table of its watches, and its snapshots.'

@description('Name of the account.')
param accountName string

@description('Days after which a snapshot is deleted, once a newer one has taken its place.')
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

resource snapshotQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: 'snapshot-requests'
}

resource snapshotPoisonQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: 'snapshot-requests-poison'
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

resource members 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'face-members'
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
          name: 'delete-superseded-snapshots'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['${snapshots.name}/', '${members.name}/']
              // Publishing a snapshot tags the one before. What the pointer names has no tag, however old it is.
              blobIndexMatch: [
                {
                  name: 'superseded'
                  op: '=='
                  value: 'true'
                }
              ]
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

@description('Queue of requests that the host gave up.')
output poisonQueue string = poisonQueue.name

@description('Queue of events.')
output resultsQueue string = resultsQueue.name

@description('Queue of snapshots that are asked for.')
output snapshotQueue string = snapshotQueue.name

@description('Queue of those that the host gave up.')
output snapshotPoisonQueue string = snapshotPoisonQueue.name

@description('Table of the records of watches.')
output watchTable string = watchTable.name

@description('Container of the snapshots.')
output snapshotContainer string = snapshots.name

@description('Container of the members of groups.')
output memberContainer string = members.name
