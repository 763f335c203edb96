metadata description = 'How a storage account is used, and, where its blobs are worth an audit, by whom.'

@description('Name of the storage account.')
param accountName string

@description('Resource ID of the workspace that keeps the logs.')
param workspaceId string

@description('Whether each access to a blob is logged. Their names hold dates, no group ID.')
param auditBlobs bool

@description('Whether each access to a queue or a table is logged too. The address of a record holds the ID of a group.')
param auditRecords bool

var transactions = [
  {
    category: 'Transaction'
    enabled: true
  }
]

var categories = ['StorageRead', 'StorageWrite', 'StorageDelete']
var auditOfBlobs = [
  for category in categories: {
    category: category
    enabled: auditBlobs
  }
]
var auditOfRecords = [
  for category in categories: {
    category: category
    enabled: auditRecords
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
resource blobsToWorkspace 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
    logs: auditOfBlobs
  }
}

#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource queuesToWorkspace 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
    logs: auditOfRecords
  }
}

#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource tablesToWorkspace 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    metrics: transactions
    logs: auditOfRecords
  }
}
