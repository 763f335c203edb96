metadata description = 'Who is told of what: each alert is a query over what the app logs.'

@description('Begin of the names.')
param namePrefix string

@description('Region of the alerts.')
param location string

@description('Name of the azd environment, for the tag.')
param environmentName string

@description('Resource ID of the workspace that holds the logs.')
param workspaceId string

@description('Who is sent an e-mail; empty, alerts are shown in the portal only.')
param email string

@description('Share of throttled calls, in percent, above which there is an alert.')
@minValue(1)
@maxValue(100)
param throttledPercent int

var alerts = [
  {
    name: 'watch-given-up'
    title: 'A training request was abandoned or rejected'
    text: 'Its event on training-results says why: a malformed body, a refusal by the Face service, or a message that kept failing.'
    severity: 2
    query: loadTextContent('queries/alert-watch-given-up.kql')
    every: 'PT15M'
    window: 'PT30M'
    measure: null
    threshold: 0
  }
  {
    name: 'training-failed'
    title: 'A training failed'
    text: 'The Face service reported it; its event on training-results has the message.'
    severity: 3
    query: loadTextContent('queries/alert-training-failed.kql')
    every: 'PT15M'
    window: 'PT30M'
    measure: null
    threshold: 0
  }
  {
    name: 'face-refuses'
    title: 'The Face service refuses the app (401, 403)'
    text: 'Check the role of the identity on the Face resource and its network rules. Watches go on until their timeout.'
    severity: 1
    query: loadTextContent('queries/alert-face-refuses.kql')
    every: 'PT5M'
    window: 'PT15M'
    measure: null
    threshold: 0
  }
  {
    name: 'snapshot-missing'
    title: 'No complete snapshot in 26 hours'
    text: 'Look for failed runs of snapshot_dynamic_person_groups. On a new deployment it ends with the first snapshot.'
    severity: 2
    query: loadTextContent('queries/alert-snapshot-missing.kql')
    every: 'PT1H'
    window: 'P2D'
    measure: null
    threshold: 0
  }
  {
    name: 'throttled'
    title: 'The Face service throttles the app'
    text: 'Lower FACE_MAX_TPS or the number of instances, or ask for a higher limit of the Face resource.'
    severity: 3
    query: loadTextContent('queries/alert-throttled.kql')
    every: 'PT15M'
    window: 'PT1H'
    measure: 'ThrottledPercent'
    threshold: throttledPercent
  }
]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: '${namePrefix}-receivers'
  // An action group is a global resource.
  location: 'global'
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    groupShortName: 'face-ops'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in alerts: {
    name: '${namePrefix}-${alert.name}'
    location: location
    tags: {
      'azd-env-name': environmentName
    }
    kind: 'LogAlert'
    properties: {
      displayName: alert.title
      description: alert.text
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: alert.every
      windowSize: alert.window
      autoMitigate: true
      // A new workspace does not know the tables yet.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: alert.measure == null ? 'Count' : 'Maximum'
            metricMeasureColumn: alert.measure
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [receivers.id]
      }
    }
  }
]
