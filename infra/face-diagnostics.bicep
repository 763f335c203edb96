metadata description = 'Who did what on the Face resource that the app made, and how many calls it answered.'

@description('Name of the Face resource.')
param faceName string

@description('Resource ID of the workspace that keeps the logs.')
param workspaceId string

resource face 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: faceName
}

#disable-next-line use-recent-api-versions // no stable version is newer than 2016
resource toWorkspace 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: face
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'Audit'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}
