metadata description = 'A role of exactly the actions that the app uses, where the built-in ones grant more.'

@description('Name of the role, which the tenant has once.')
param name string

@description('What the role is for.')
param text string

@description('Actions of the management of the resource.')
param actions string[] = []

@description('Actions on the data in the resource.')
param dataActions string[]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, name)
  properties: {
    roleName: name
    description: text
    type: 'CustomRole'
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: dataActions
        notDataActions: []
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

@description('Resource ID of the role.')
output id string = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.name)
