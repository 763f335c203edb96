metadata description = 'The function app on Flex Consumption, and its settings.'

@description('Addresses of the services of a storage account, each with a slash at its end.')
type storageEndpoints = {
  blob: string
  queue: string
  table: string
}

@description('Resource ID and client ID of the identity of the app.')
type appIdentity = {
  id: string
  clientId: string
}

@description('Settings of the app that differ from its defaults; main.bicep names what each is for.')
type appOptions = {
  FACE_TRAINING_API_VERSION: string?
  FACE_DIRECTORY_API_VERSION: string?
  FACE_TOKEN_SCOPE: string?
  FACE_MAX_TPS: string?
  WATCH_DEFAULT_KIND: string?
  WATCH_MESSAGE_ENCODING: string?
  WATCH_TIMEOUT_SECONDS: string?
  WATCH_MIN_DELAY_SECONDS: string?
  WATCH_MAX_DELAY_SECONDS: string?
  WATCH_POLL_WORTH_SECONDS: string?
  WATCH_GRACE_SECONDS: string?
  WATCH_RETENTION_DAYS: string?
  SNAPSHOT_SCHEDULE: string?
  SNAPSHOT_KINDS: string?
  SNAPSHOT_INCLUDE_USER_DATA: string?
  SNAPSHOT_INCLUDE_MEMBERS: string?
  SNAPSHOT_MEMBERS_DAYS: string?
}

@description('Name of the function app.')
param name string

@description('Name of the plan.')
param planName string

@description('Region of both.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('The identity that the app runs under.')
param identity appIdentity

@description('The storage of the host itself.')
param hostStorage storageEndpoints

@description('Name of the container, in the storage of the host, that holds the deployed package.')
param packageContainer string

@description('The storage of the app: queues, table, snapshots.')
param dataStorage storageEndpoints

@description('Address of the Face resource.')
param faceEndpoint string

@description('Where telemetry goes. Without local authentication of Application Insights it opens nothing.')
param applicationInsightsConnectionString string

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Most instances of each function.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Settings of the app that differ from its defaults.')
param options appOptions

@description('Whether events go to an Event Grid topic as well as to the queue.')
param eventTopic bool

@description('Address of the topic.')
param eventTopicEndpoint string

@description('Client ID of the app registration whose tokens the HTTP functions take; empty, they take the keys of the host.')
param entraClientId string

@description('Subnet through which the app calls out; empty, it is in no virtual network.')
param subnetId string

var isolated = !empty(subnetId)

// The version that the tests run on.
var pythonVersion = '3.13'

var hostSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.clientId
  AzureWebJobsStorage__blobServiceUri: hostStorage.blob
  AzureWebJobsStorage__queueServiceUri: hostStorage.queue
  AzureWebJobsStorage__tableServiceUri: hostStorage.table
  // host.json lets one instance run 24 messages of a queue at once; each takes a thread.
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
}

var telemetrySettings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
  // The worker sets up OpenTelemetry by itself; doing it in the app as well would send each record twice.
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  // The app's own records alone: those of the Azure SDKs hold request addresses, and these hold group IDs.
  PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'shared'
  // Every 5 minutes: the counters of the process, which no chart reads, come along, and would be 0.2 GB a month for each
  // instance at every minute.
  OTEL_METRIC_EXPORT_INTERVAL: '300000'
  // Spans of outgoing calls hold addresses too.
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3'
  // Samples the requests of the host; the records of the app, which alerts are made of, are never sampled.
  OTEL_TRACES_SAMPLER: 'microsoft.rate_limited'
  OTEL_TRACES_SAMPLER_ARG: '1'
}

var appSettings = {
  FACE_ENDPOINT: faceEndpoint
  DataStorage__credential: 'managedidentity'
  DataStorage__clientId: identity.clientId
  DataStorage__blobServiceUri: dataStorage.blob
  DataStorage__queueServiceUri: dataStorage.queue
  DataStorage__tableServiceUri: dataStorage.table
  // Which identity DefaultAzureCredential takes, so that it does not try others first.
  AZURE_CLIENT_ID: identity.clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
}

var eventSettings = eventTopic ? { EVENTS_TOPIC_ENDPOINT: eventTopicEndpoint } : {}
var httpSettings = empty(entraClientId) ? {} : { HTTP_AUTH: 'entra' }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  // checkov:skip=CKV_AZURE_225: Flex Consumption spreads instances over zones only where it is always ready, which is paid for
  name: planName
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  // checkov:skip=CKV_AZURE_17: callers show a key or a token of Entra ID, no certificate
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP, and does not know the setting; basic publishing credentials are off below
  // checkov:skip=CKV_AZURE_212: the app scales to zero by design; what is due waits in the queue meanwhile
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check path
  // checkov:skip=CKV_AZURE_222: where networkIsolation is true, access restrictions close the app; its deployment service stays reachable, for tokens of Entra ID only
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
    // By this tag azd finds where to deploy.
    'azd-service-name': 'app'
  }
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: isolated ? subnetId : null
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      // A private endpoint passes these; the deployment service keeps its own rule, so that azd can deploy from outside.
      ipSecurityRestrictionsDefaultAction: isolated ? 'Deny' : 'Allow'
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      scmIpSecurityRestrictionsUseMain: false
      appSettings: [
        for setting in items(union(appSettings, options, eventSettings, httpSettings, hostSettings, telemetrySettings)): {
          name: setting.key
          value: setting.value
        }
      ]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = if (!empty(entraClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      // The page holds no data; it asks for a token and calls the functions with it.
      excludedPaths: ['/api/ui']
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [entraClientId, 'api://${entraClientId}']
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

@description('Name of the function app.')
output name string = app.name

@description('Address of the function app.')
output address string = 'https://${app.properties.defaultHostName}'
