metadata description = 'A private endpoint of one service, and its name in a private DNS zone.'

@description('Name of the endpoint.')
param name string

@description('Region of the endpoint.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Subnet of the endpoint.')
param subnetId string

@description('Resource ID of the resource that the endpoint leads to.')
param targetId string

@description('Which service of that resource: account, blob, queue, table or topic.')
@allowed(['account', 'blob', 'queue', 'table', 'topic'])
param group string

@description('Resource ID of the private DNS zone of the service.')
param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: group
        properties: {
          privateLinkServiceId: targetId
          groupIds: [group]
        }
      }
    ]
  }
}

resource dnsName 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: group
        properties: {
          privateDnsZoneId: zoneId
        }
      }
    ]
  }
}
