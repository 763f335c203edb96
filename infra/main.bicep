targetScope = 'resourceGroup'

metadata name = 'face-group-ops'
metadata description = 'Watches Azure AI Face trainings and snapshots dynamic person groups, on Azure Functions.'

@description('Settings of the app that differ from its defaults.')
type appOptions = {
  FACE_TRAINING_API_VERSION: string? // API version of the training operations, and of the lists of other kinds of groups
  FACE_DIRECTORY_API_VERSION: string? // API version of the dynamic person group operations
  FACE_TOKEN_SCOPE: string? // Entra scope of the Face service, where the cloud of its address does not tell
  FACE_MAX_TPS: string? // calls to the Face service a second, of all instances together
  WATCH_DEFAULT_KIND: string? // kind of a group that is enqueued as a bare ID
  WATCH_MESSAGE_ENCODING: string? // how the bodies of requests are written: auto, none or base64
  WATCH_TIMEOUT_SECONDS: string? // seconds after which a request is given up
  WATCH_MIN_DELAY_SECONDS: string? // least seconds between two polls
  WATCH_MAX_DELAY_SECONDS: string? // most seconds between two polls
  WATCH_POLL_WORTH_SECONDS: string? // seconds of lateness that one poll is worth
  WATCH_GRACE_SECONDS: string? // seconds that a missing or never trained group is given to appear
  WATCH_RETENTION_DAYS: string? // days that the record of an ended request is kept
  SNAPSHOT_SCHEDULE: string? // when snapshots are taken: NCRONTAB of six fields, UTC
  SNAPSHOT_KINDS: string? // kinds of groups that snapshots are taken of, with commas between
  SNAPSHOT_INCLUDE_USER_DATA: string? // whether snapshots hold the userData of groups: true or false
  SNAPSHOT_INCLUDE_MEMBERS: string? // whether snapshots hold the members of groups: true or false
  SNAPSHOT_MEMBERS_DAYS: string? // days after which the members of an unchanged group are listed again
}

@description('Addresses of a virtual network in CIDR form: of the whole, of the subnet of the app (at least a /27) and of that of the private endpoints (at least a /28).')
type networkPrefixes = {
  network: string
  app: string
  endpoints: string
}

@description('Name of the azd environment; part of what the names of the resources are made from.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources. The list has those with both Flex Consumption and Face, as known in November 2026.')
@allowed([
  'australiaeast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource ID of an existing Face resource, in any resource group; none: one is made. It needs a custom subdomain.')
param existingFaceId string = 'none'

@description('Price tier of the Face resource that is made: F0 is free (20 calls a minute), S0 is paid (10 calls a second).')
@allowed(['F0', 'S0'])
param faceSkuName string = 'S0'

@description('Whether the app may start trainings ("train": true); it is then given a role of its own for that.')
param allowTraining bool = false

@description('Whether storage and Face are reached through private endpoints in a virtual network only.')
param networkIsolation bool = false

@description('Addresses of the virtual network where networkIsolation is true, and of its two subnets.')
param networkAddresses networkPrefixes = {
  network: '10.90.0.0/25'
  app: '10.90.0.0/26'
  endpoints: '10.90.0.64/26'
}

@description('How many copies both storage accounts keep, and where.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSkuName string = 'Standard_LRS'

@description('Days after which a snapshot is deleted, once a newer one has taken its place.')
@minValue(7)
@maxValue(3650)
param snapshotRetentionDays int = 90

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most that the logs take in a day, in GB; what comes after that is lost until the next day. -1: no cap.')
@minValue(-1)
param logDailyCapGb int = 1

@description('Whether each access to a queue or a table is logged too. The logs then hold the IDs of groups.')
param auditRecords bool = false

@description('Who is sent an e-mail by alerts; none: they are shown in the portal only.')
param alertEmail string = 'none'

@description('Share of throttled calls, in percent, above which there is an alert.')
@minValue(1)
@maxValue(100)
param throttledAlertPercent int = 10

@description('Whether each event also goes to an Event Grid topic, which is made.')
param eventTopic bool = false

@description('Client ID of an app registration: the HTTP functions then take tokens of Entra ID instead of keys. none: keys.')
param entraClientId string = 'none'

@description('Object ID of a person or group that is granted what face-ops needs; none: nobody.')
param operatorPrincipalId string = 'none'

@description('Hours after which a newer snapshot is overdue; goes with SNAPSHOT_SCHEDULE. A query reaches back two days at most.')
@minValue(2)
@maxValue(48)
param snapshotMaxAgeHours int = 26

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of each function.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Settings of the app that differ from its defaults.')
param options appOptions = {}

var token = uniqueString(subscription().id, resourceGroup().id, environmentName)
// An environment variable of a pipeline cannot be empty, so these are written none.
var noValue = ['', 'none']
var makesFace = contains(noValue, existingFaceId)
var operator = contains(noValue, operatorPrincipalId) ? '' : operatorPrincipalId
// F0 allows 20 calls a minute.
var tierOptions = makesFace && faceSkuName == 'F0' ? { FACE_MAX_TPS: '0.33' } : {}
var faceSubscription = makesFace ? subscription().subscriptionId : split(existingFaceId, '/')[2]
var faceResourceGroup = makesFace ? resourceGroup().name : split(existingFaceId, '/')[4]

module identity 'identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-face-ops-${token}'
    location: location
    environmentName: environmentName
  }
}

module hostAccount 'storage-account.bicep' = {
  name: 'host-account'
  params: {
    name: 'sthost${token}'
    location: location
    environmentName: environmentName
    skuName: storageSkuName
    isolated: networkIsolation
  }
}

module hostStorage 'host-storage.bicep' = {
  name: 'host-storage'
  params: {
    accountName: hostAccount.outputs.name
  }
}

module dataAccount 'storage-account.bicep' = {
  name: 'data-account'
  params: {
    name: 'stdata${token}'
    location: location
    environmentName: environmentName
    skuName: storageSkuName
    isolated: networkIsolation
  }
}

module dataStorage 'data-storage.bicep' = {
  name: 'data-storage'
  params: {
    accountName: dataAccount.outputs.name
    snapshotRetentionDays: snapshotRetentionDays
  }
}

module newFace 'face.bicep' = if (makesFace) {
  name: 'face'
  params: {
    name: 'face-ops-${token}'
    location: location
    environmentName: environmentName
    skuName: faceSkuName
    isolated: networkIsolation
  }
}

resource existingFace 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = if (!makesFace) {
  scope: resourceGroup(faceSubscription, faceResourceGroup)
  name: last(split(existingFaceId, '/'))
}

var faceId = makesFace ? newFace!.outputs.id : existingFaceId
var faceName = makesFace ? newFace!.outputs.name : last(split(existingFaceId, '/'))
var faceEndpoint = makesFace ? newFace!.outputs.endpoint : existingFace!.properties.endpoint

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-face-ops-${token}'
    applicationInsightsName: 'appi-face-ops-${token}'
    location: location
    environmentName: environmentName
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module roles 'roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    namePrefix: 'face-ops-${token}'
    hostStorageName: hostAccount.outputs.name
    hostsContainer: hostStorage.outputs.hostsContainer
    keysContainer: hostStorage.outputs.keysContainer
    packageContainer: hostStorage.outputs.packageContainer
    dataStorageName: dataAccount.outputs.name
    workQueues: [
      dataStorage.outputs.watchQueue
      dataStorage.outputs.poisonQueue
      dataStorage.outputs.snapshotQueue
    ]
    outQueues: [dataStorage.outputs.resultsQueue, dataStorage.outputs.snapshotPoisonQueue]
    watchTable: dataStorage.outputs.watchTable
    snapshotContainers: [dataStorage.outputs.snapshotContainer, dataStorage.outputs.memberContainer]
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module faceRole 'face-role.bicep' = {
  name: 'face-role-${token}'
  scope: resourceGroup(faceSubscription, faceResourceGroup)
  params: {
    principalId: identity.outputs.principalId
    namePrefix: 'face-ops-${token}'
    faceName: faceName
    allowTraining: allowTraining
    operatorPrincipalId: operator
  }
}

module operatorRoles 'operator-roles.bicep' = if (!empty(operator)) {
  name: 'operator-roles'
  params: {
    principalId: operator
    dataStorageName: dataAccount.outputs.name
    requestQueues: [dataStorage.outputs.watchQueue, dataStorage.outputs.snapshotQueue]
    resultsQueue: dataStorage.outputs.resultsQueue
    watchTable: dataStorage.outputs.watchTable
    snapshotContainers: [dataStorage.outputs.snapshotContainer, dataStorage.outputs.memberContainer]
  }
}

module events 'event-topic.bicep' = if (eventTopic) {
  name: 'event-topic'
  params: {
    name: 'evgt-face-ops-${token}'
    location: location
    environmentName: environmentName
    principalId: identity.outputs.principalId
    isolated: networkIsolation
    dataStorageName: dataAccount.outputs.name
  }
}

module network 'network.bicep' = if (networkIsolation) {
  name: 'network'
  params: {
    namePrefix: 'net-face-ops-${token}'
    location: location
    environmentName: environmentName
    addressPrefix: networkAddresses.network
    appAddressPrefix: networkAddresses.app
    endpointAddressPrefix: networkAddresses.endpoints
    hostStorageId: hostAccount.outputs.id
    dataStorageId: dataAccount.outputs.id
    faceId: faceId
    faceEndpoint: faceEndpoint
    eventTopicId: eventTopic ? events!.outputs.id : ''
    eventTopicEndpoint: eventTopic ? events!.outputs.endpoint : ''
  }
}

module function 'function.bicep' = {
  name: 'function'
  // The host starts as soon as it is made, and then needs its storage.
  dependsOn: [roles]
  params: {
    name: 'func-face-ops-${token}'
    planName: 'plan-face-ops-${token}'
    location: location
    environmentName: environmentName
    identity: {
      id: identity.outputs.id
      clientId: identity.outputs.clientId
    }
    hostStorage: {
      blob: hostAccount.outputs.blobEndpoint
      queue: hostAccount.outputs.queueEndpoint
      table: hostAccount.outputs.tableEndpoint
    }
    packageContainer: hostStorage.outputs.packageContainer
    dataStorage: {
      blob: dataAccount.outputs.blobEndpoint
      queue: dataAccount.outputs.queueEndpoint
      table: dataAccount.outputs.tableEndpoint
    }
    faceEndpoint: faceEndpoint
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    options: union(tierOptions, options)
    eventTopic: eventTopic
    eventTopicEndpoint: eventTopic ? events!.outputs.endpoint : ''
    entraClientId: contains(noValue, entraClientId) ? '' : entraClientId
    subnetId: networkIsolation ? network!.outputs.appSubnetId : ''
  }
}

module hostStorageDiagnostics 'storage-diagnostics.bicep' = {
  name: 'host-storage-diagnostics'
  params: {
    accountName: hostAccount.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    auditBlobs: false
    auditRecords: false
  }
}

module dataStorageDiagnostics 'storage-diagnostics.bicep' = {
  name: 'data-storage-diagnostics'
  params: {
    accountName: dataAccount.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    auditBlobs: true
    auditRecords: auditRecords
  }
}

// An existing Face resource keeps the diagnostic settings that its owner gave it.
module faceDiagnostics 'face-diagnostics.bicep' = if (makesFace) {
  name: 'face-diagnostics'
  params: {
    faceName: newFace!.outputs.name
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: {
    namePrefix: 'alert-face-ops-${token}'
    location: location
    environmentName: environmentName
    workspaceId: monitoring.outputs.workspaceId
    email: contains(noValue, alertEmail) ? '' : alertEmail
    throttledPercent: throttledAlertPercent
    snapshotMaxAgeHours: snapshotMaxAgeHours
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    environmentName: environmentName
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Name of the function app.')
output AZURE_FUNCTION_APP_NAME string = function.outputs.name

@description('Address of the function app.')
output FUNCTION_APP_URL string = function.outputs.address

@description('Name of the storage account that holds the queues, the table and the snapshots.')
output DATA_STORAGE_ACCOUNT string = dataAccount.outputs.name

@description('Address of the Face resource.')
output FACE_ENDPOINT string = faceEndpoint
