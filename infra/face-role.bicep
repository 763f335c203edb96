metadata description = 'What the app and its operator may do on the Face resource, which may be in another resource group.'

@description('Object ID of the identity of the app.')
param principalId string

@description('Begin of the names of the custom roles.')
param namePrefix string

@description('Name of the Face resource.')
param faceName string

@description('Whether the app may start trainings; otherwise it only reads.')
param allowTraining bool

@description('Object ID of a person or group that restores snapshots; empty, nobody.')
param operatorPrincipalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var cognitiveServicesDataReader = 'b59867f0-fa02-499b-be73-45a86b5b3e1c'
var cognitiveServicesFaceContributor = 'b5b0c71d-aca9-4081-aee2-9b1bb335fc1a'

resource face 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: faceName
}

resource onFace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(face.id, principalId, cognitiveServicesDataReader)
  scope: face
  properties: {
    description: 'The app reads groups and their training status.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cognitiveServicesDataReader)
  }
}

// Built-in roles that may start a training may read the keys of the resource and change its groups as well.
module trainer 'custom-role.bicep' = if (allowTraining) {
  name: 'role-trainer'
  params: {
    name: '${namePrefix} trainer'
    text: 'Starts trainings of groups and of face lists, and nothing else.'
    dataActions: [
      'Microsoft.CognitiveServices/accounts/Face/persongroups/train/action'
      'Microsoft.CognitiveServices/accounts/Face/largepersongroups/train/action'
      'Microsoft.CognitiveServices/accounts/Face/largefacelists/train/action'
    ]
  }
}

resource toTrain 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (allowTraining) {
  name: guid(face.id, principalId, 'trainer')
  scope: face
  properties: {
    description: 'The app starts trainings.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: trainer!.outputs.id
  }
}

resource ofOperator 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  name: guid(face.id, operatorPrincipalId, cognitiveServicesFaceContributor)
  scope: face
  properties: {
    description: 'face-ops restore reads, makes and changes groups.'
    principalId: operatorPrincipalId
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      cognitiveServicesFaceContributor
    )
  }
}
