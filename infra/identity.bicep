metadata description = 'The one identity that the app has, for its storage, the Face service and its telemetry.'

@description('Name of the identity.')
param name string

@description('Region of the identity.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
}

@description('Resource ID, by which the app is given the identity.')
output id string = identity.id

@description('Client ID, by which the app asks for tokens.')
output clientId string = identity.properties.clientId

@description('Object ID, to which roles are granted.')
output principalId string = identity.properties.principalId
