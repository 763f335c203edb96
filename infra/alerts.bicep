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

@description('Hours after which a newer snapshot is overdue: the time between two, and two hours for the run itself.')
@minValue(2)
@maxValue(48)
param snapshotMaxAgeHours int

var alerts = [
  {
    name: 'app-silent'
    title: 'The app is silent'
    text: 'For 15 minutes the timer that runs each minute has left no record: the app or its storage is down, or its telemetry does not arrive.'
    severity: 1
    query: loadTextContent('queries/alert-app-silent.kql')
    every: 'PT5M'
    window: 'PT30M'
    measure: null
    threshold: 0
  }
  {
    name: 'face-refuses'
    title: 'The Face service refuses the app (401, 403)'
    text: 'Check the role of the identity on the Face resource, its network rules, and whether access to face recognition is approved.'
    severity: 1
    query: loadTextContent('queries/alert-face-refuses.kql')
    every: 'PT5M'
    window: 'PT15M'
    measure: null
    threshold: 0
  }
  {
    name: 'face-unreachable'
    title: 'The Face service cannot be reached'
    text: 'For 5 minutes no poll got a connection. Check FACE_ENDPOINT and, with network isolation, the private endpoint.'
    severity: 1
    query: loadTextContent('queries/alert-face-unreachable.kql')
    every: 'PT5M'
    window: 'PT5M'
    measure: null
    threshold: 0
  }
  {
    name: 'undocumented-404'
    title: 'The Face service says 404 in an undocumented way'
    text: 'It is a gateway, or an API version is gone. Check FACE_TRAINING_API_VERSION and FACE_DIRECTORY_API_VERSION.'
    severity: 2
    query: loadTextContent('queries/alert-undocumented-404.kql')
    every: 'PT15M'
    window: 'PT30M'
    measure: null
    threshold: 0
  }
  {
    name: 'request-given-up'
    title: 'A request was abandoned or rejected'
    text: 'Its event on training-results says why: a malformed body, a refusal by the Face service, or a message that kept failing.'
    severity: 2
    query: loadTextContent('queries/alert-request-given-up.kql')
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
    name: 'watches-overdue'
    title: 'Watches are overdue'
    text: 'A poll was more than 5 minutes late. The budget is short, or the storage of the app fails.'
    severity: 2
    query: loadTextContent('queries/alert-watches-overdue.kql')
    every: 'PT15M'
    window: 'PT30M'
    measure: null
    threshold: 0
  }
  {
    name: 'ends-late'
    title: 'Ends of trainings are seen late'
    text: 'One end in twenty was seen more than 5 minutes after it happened. Raise FACE_MAX_TPS where the limit of the resource allows it.'
    severity: 3
    query: loadTextContent('queries/alert-ends-late.kql')
    every: 'PT1H'
    window: 'PT1H'
    measure: null
    threshold: 0
  }
  {
    name: 'throttled'
    title: 'The Face service throttles the app'
    text: 'Others use the resource as well: lower FACE_MAX_TPS, or ask for a higher limit.'
    severity: 3
    query: loadTextContent('queries/alert-throttled.kql')
    every: 'PT15M'
    window: 'PT1H'
    measure: 'ThrottledPercent'
    threshold: throttledPercent
  }
  {
    name: 'snapshot-missing'
    title: 'A snapshot is overdue'
    text: 'Look for failed runs of snapshot_groups and take_snapshot. On a new deployment it ends with the first snapshot.'
    severity: 2
    query: replace(loadTextContent('queries/alert-snapshot-missing.kql'), '26h', '${snapshotMaxAgeHours}h')
    every: 'PT1H'
    window: 'P2D'
    measure: null
    threshold: 0
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
