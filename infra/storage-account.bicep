metadata description = 'A storage account without keys.'

@description('Name of the account: 3 to 24 lower-case letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region of the account.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('How many copies are kept, and where.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string

@description('Whether the account is reached through private endpoints only.')
param isolated bool

var softDeleteDays = 7

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_35: the network rule denies by default where networkIsolation is true; without keys, tokens alone open the account
  // checkov:skip=CKV_AZURE_36: no service of Azure reaches past the network rule; none of those that could is used here
  // checkov:skip=CKV_AZURE_59: as above: public network access is off where networkIsolation is true
  // checkov:skip=CKV_AZURE_206: how many copies are kept is the parameter storageSkuName; what is kept can be made again
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isolated ? 'Deny' : 'Allow'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

@description('Name of the account.')
output name string = account.name

@description('Resource ID of the account.')
output id string = account.id

@description('Address of the blob service, with a slash at its end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Address of the queue service, with a slash at its end.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Address of the table service, with a slash at its end.')
output tableEndpoint string = account.properties.primaryEndpoints.table
