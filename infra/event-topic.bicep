metadata description = 'An Event Grid topic that gets each event as well as the queue, for those who want to be called.'

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

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  // checkov:skip=CKV_AZURE_191: the topic calls subscribers itself only where their owner gives it an identity to do so
  // checkov:skip=CKV_AZURE_193: public network access is off where the parameter networkIsolation is true
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
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

@description('Resource ID of the topic.')
output id string = topic.id

@description('Where events are sent.')
output endpoint string = topic.properties.endpoint
