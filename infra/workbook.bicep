metadata description = 'One page that shows how watches and snapshots go.'

@description('Region of the workbook.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Resource ID of the workspace that holds the logs.')
param workspaceId string

var tiles = [
  { title: 'Requests by outcome', query: loadTextContent('queries/workbook-requests-by-outcome.kql') }
  { title: 'How late ends were seen, in seconds', query: loadTextContent('queries/workbook-lateness.kql') }
  { title: 'Requests by kind', query: loadTextContent('queries/workbook-requests-by-kind.kql') }
  { title: 'Open requests', query: loadTextContent('queries/workbook-open-requests.kql') }
  { title: 'How late the most overdue poll is, in seconds', query: loadTextContent('queries/workbook-overdue.kql') }
  { title: 'Polls by response', query: loadTextContent('queries/workbook-polls.kql') }
  { title: 'Calls throttled, in percent', query: loadTextContent('queries/workbook-throttling.kql') }
  { title: 'Snapshots', query: loadTextContent('queries/workbook-snapshots.kql') }
  { title: 'Age of the newest snapshot, in hours', query: loadTextContent('queries/workbook-snapshot-age.kql') }
  { title: 'Size of snapshots', query: loadTextContent('queries/workbook-snapshot-size.kql') }
  { title: 'Duration of snapshots, in seconds', query: loadTextContent('queries/workbook-snapshot-duration.kql') }
  { title: 'Changes between snapshots', query: loadTextContent('queries/workbook-snapshot-changes.kql') }
  { title: 'Runs of the functions', query: loadTextContent('queries/workbook-runs.kql') }
]

var timeRange = {
  type: 9
  name: 'time range'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        id: guid(workspaceId, 'time range')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: { durationMs: 604800000 }
        typeSettings: {
          allowCustom: true
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
          ]
        }
      }
    ]
  }
}

var charts = [
  for tile in tiles: {
    type: 3
    name: tile.title
    content: {
      version: 'KqlItem/1.0'
      title: tile.title
      query: tile.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      timeContextFromParameter: 'TimeRange'
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, workspaceId, 'workbook')
  location: location
  tags: {
    'azd-env-name': environmentName
  }
  kind: 'shared'
  properties: {
    displayName: 'Face group operations'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([timeRange], charts)
      isLocked: false
    })
  }
}
