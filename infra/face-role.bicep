metadata description = 'What the app may do on the Face resource, which may be in another resource group.'

@description('Object ID of the identity of the app.')
param principalId string

@description('Name of the Face resource.')
param faceName string

@description('Whether the app may start trainings; otherwise it only reads.')
param allowTraining bool

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var cognitiveServicesDataReader = 'b59867f0-fa02-499b-be73-45a86b5b3e1c'
var cognitiveServicesUser = 'a97b65f3-24c7-4388-baec-2e87135dc908'
var role = allowTraining ? cognitiveServicesUser : cognitiveServicesDataReader

resource face 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: faceName
}

resource onFace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(face.id, principalId, role)
  scope: face
  properties: {
    description: allowTraining
      ? 'The app reads groups and starts trainings.'
      : 'The app reads groups and their training status.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}
