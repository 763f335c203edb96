metadata description = 'A Face resource that knows Entra ID only.'

@description('Name of the resource, and its subdomain.')
@minLength(2)
@maxLength(64)
param name string

@description('Region of the resource.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Price tier: F0 is free (20 calls a minute), S0 is paid (10 calls a second).')
@allowed(['F0', 'S0'])
param skuName string

@description('Whether the resource is reached through a private endpoint only.')
param isolated bool

resource face 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_134: public network access is off where the parameter networkIsolation is true; without keys, tokens alone open it
  // checkov:skip=CKV_AZURE_238: the resource calls nothing, so it needs no identity of its own
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  kind: 'Face'
  sku: {
    name: skuName
  }
  properties: {
    // Tokens of Entra ID are accepted on a subdomain only.
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isolated ? 'Deny' : 'Allow'
    }
  }
}

@description('Resource ID of the resource.')
output id string = face.id

@description('Name of the resource.')
output name string = face.name

@description('Address of the resource, with a slash at its end.')
output endpoint string = face.properties.endpoint
