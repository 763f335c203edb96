metadata description = 'How a storage account is used, and, where its blobs are worth an audit, by whom.'

@description('Name of the storage account.')
param accountName string

@description('Resource ID of the workspace that keeps the logs.')
param workspaceId string

@description('Whether each access to a blob is logged. Their names hold dates, no group ID.')
param auditBlobs bool

var transactions = [
  {
    category: 'Transaction'
    enabled: true
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: accountName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource ofBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
    logs: [
      {
        category: 'StorageRead'
        enabled: auditBlobs
      }
      {
        category: 'StorageWrite'
        enabled: auditBlobs
      }
      {
        category: 'StorageDelete'
        enabled: auditBlobs
      }
    ]
  }
}

// Of queues and tables no logs: an idle host looks at its queues each few seconds, and the address of a record holds a group ID.
#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource ofQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
  }
}

#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource ofTables 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
  }
}
