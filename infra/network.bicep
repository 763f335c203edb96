metadata description = 'A virtual network in which the app reaches its storage and the Face resource, and nobody else does.'

@description('Begin of the names.')
param namePrefix string

@description('Region of the network.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Addresses of the network.')
param addressPrefix string

@description('Addresses of the subnet of the app: at least a /27, which holds as many instances as Flex Consumption has.')
param appAddressPrefix string

@description('Addresses of the subnet of the private endpoints: at least a /28.')
param endpointAddressPrefix string

@description('Resource ID of the storage account of the host.')
param hostStorageId string

@description('Resource ID of the storage account of the app.')
param dataStorageId string

@description('Resource ID of the Face resource.')
param faceId string

@description('Address of the Face resource on its own subdomain; it says which domain the cloud uses.')
param faceEndpoint string

@description('Resource ID of the Event Grid topic; empty, there is none.')
param eventTopicId string

@description('Address of the Event Grid topic.')
param eventTopicEndpoint string

// NAME.cognitiveservices.azure.com: what follows the name differs between clouds, and environment() does not know it.
var faceHost = split(faceEndpoint, '/')[2]
var faceDomain = join(skip(split(faceHost, '.'), 1), '.')
// NAME.REGION.eventgrid.azure.net
var hasTopic = !empty(eventTopicId)
var topicDomain = hasTopic ? join(skip(split(split(eventTopicEndpoint, '/')[2], '.'), 2), '.') : ''
var zoneOfGroup = {
  account: 'privatelink.${faceDomain}'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  topic: 'privatelink.${topicDomain}'
}
var groups = concat(['account', 'blob', 'queue', 'table'], hasTopic ? ['topic'] : [])
var services = concat(
  [
    { name: 'host-blob', target: hostStorageId, group: 'blob' }
    { name: 'host-queue', target: hostStorageId, group: 'queue' }
    { name: 'host-table', target: hostStorageId, group: 'table' }
    { name: 'data-blob', target: dataStorageId, group: 'blob' }
    { name: 'data-queue', target: dataStorageId, group: 'queue' }
    { name: 'data-table', target: dataStorageId, group: 'table' }
    { name: 'face', target: faceId, group: 'account' }
  ],
  hasTopic ? [{ name: 'events', target: eventTopicId, group: 'topic' }] : []
)
// What the app calls outside the network: tokens and telemetry. Everything else has a private endpoint.
var outside = ['AzureActiveDirectory', 'AzureMonitor']

var allowedOutside = [
  for (service, index) in outside: {
    name: 'to-${service}'
    properties: {
      priority: 200 + index
      direction: 'Outbound'
      access: 'Allow'
      protocol: 'Tcp'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: service
      destinationPortRange: '443'
    }
  }
]

resource appRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${namePrefix}-app'
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    securityRules: concat(
      [
        {
          name: 'no-inbound'
          properties: {
            description: 'The app calls out; nobody calls it here.'
            priority: 4096
            direction: 'Inbound'
            access: 'Deny'
            protocol: '*'
            sourceAddressPrefix: '*'
            sourcePortRange: '*'
            destinationAddressPrefix: '*'
            destinationPortRange: '*'
          }
        }
        {
          name: 'private-endpoints'
          properties: {
            priority: 100
            direction: 'Outbound'
            access: 'Allow'
            protocol: 'Tcp'
            sourceAddressPrefix: '*'
            sourcePortRange: '*'
            destinationAddressPrefix: 'VirtualNetwork'
            destinationPortRange: '443'
          }
        }
        {
          name: 'no-internet'
          properties: {
            description: 'What takes over the app cannot carry data elsewhere.'
            priority: 4096
            direction: 'Outbound'
            access: 'Deny'
            protocol: '*'
            sourceAddressPrefix: '*'
            sourcePortRange: '*'
            destinationAddressPrefix: 'Internet'
            destinationPortRange: '*'
          }
        }
      ],
      allowedOutside
    )
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${namePrefix}-endpoints'
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    securityRules: [
      {
        name: 'https-from-network'
        properties: {
          description: 'The app, and whoever is let into the network.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: namePrefix
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
  }
}

resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = {
  parent: network
  name: 'app'
  properties: {
    addressPrefix: appAddressPrefix
    networkSecurityGroup: {
      id: appRules.id
    }
    delegations: [
      {
        name: 'flex-consumption'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = {
  parent: network
  name: 'endpoints'
  // A network takes one change at a time.
  dependsOn: [appSubnet]
  properties: {
    addressPrefix: endpointAddressPrefix
    networkSecurityGroup: {
      id: endpointRules.id
    }
    privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for group in groups: {
    name: zoneOfGroup[group]
    // A DNS zone is a global resource.
    location: 'global'
    tags: {
      'azd-env-name': environmentName
    }
  }
]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (group, index) in groups: {
    parent: zones[index]
    name: namePrefix
    location: 'global'
    tags: {
      'azd-env-name': environmentName
    }
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

module endpoints 'private-endpoint.bicep' = [
  for service in services: {
    name: 'endpoint-${service.name}'
    params: {
      name: '${namePrefix}-${service.name}'
      location: location
      environmentName: environmentName
      subnetId: endpointSubnet.id
      targetId: service.target
      group: service.group
      zoneId: zones[indexOf(groups, service.group)].id
    }
  }
]

@description('Subnet of the app.')
output appSubnetId string = appSubnet.id
