metadata description = 'What the Functions host keeps in its own storage account.'

@description('Name of the account.')
param accountName string

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: accountName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

// The host makes these two by itself where it may; here it may only use them.
resource hosts 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'azure-webjobs-hosts'
  properties: {
    publicAccess: 'None'
  }
}

resource secrets 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'azure-webjobs-secrets'
  properties: {
    publicAccess: 'None'
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'app-package'
  properties: {
    publicAccess: 'None'
  }
}

@description('Container of the locks of the host, and of when its timers last ran.')
output hostsContainer string = hosts.name

@description('Container of the keys of the host.')
output keysContainer string = secrets.name

@description('Container of the deployed package.')
output packageContainer string = packages.name
