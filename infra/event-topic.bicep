metadata description = 'An Event Grid topic that gets each event as well as the queue, and a container for what no subscriber takes.'

@description('Name of the topic.')
param name string

@description('Region of the topic.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Object ID of the identity of the app.')
param principalId string

@description('Whether the topic is reached through a private endpoint only.')
param isolated bool

@description('Name of the storage account of the app, which keeps what no subscriber takes.')
param dataStorageName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'event-dead-letters'
  properties: {
    publicAccess: 'None'
  }
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  // checkov:skip=CKV_AZURE_193: public network access is off where the parameter networkIsolation is true
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  // By which it writes dead letters: the account takes no keys.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
  }
}

resource toSend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic.id, principalId, eventGridDataSender)
  scope: topic
  properties: {
    description: 'The app sends events here.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
  }
}

resource toKeepDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, topic.id, blobDataContributor)
  scope: deadLetters
  properties: {
    description: 'The topic keeps here what no subscriber takes.'
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

@description('Resource ID of the topic.')
output id string = topic.id

@description('Where events are sent.')
output endpoint string = topic.properties.endpoint
