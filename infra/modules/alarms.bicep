metadata description = 'What watches the watcher: rules and a mailbox that need nothing of the app.'

param name string
param location string
param tags object

@description('Our own workspace, where heartbeat, logs and failures of the app arrive.')
param workspaceId string

@description('Who is written to when the watch stops. A mailbox that somebody reads, and no Teams workflow of ours.')
@minLength(1)
param emails string[]

@description('Whether ticks are counted: without a component that the app may write to, no heartbeat arrives.')
param heartbeat bool

var rules = [
  {
    name: 'heartbeat'
    title: 'Tracekeeper has stopped watching'
    description: 'No complete tick has been counted for ten minutes. See docs/alerts.md, "Heartbeat".'
    query: loadTextContent('../queries/heartbeat.kql')
    operator: 'LessThan'
    threshold: 1
    minutes: 10
    severity: 0
    enabled: heartbeat
  }
  {
    name: 'dead-letters'
    title: 'Tracekeeper could not deliver news'
    description: 'A destination took nothing for a day, or never will. See docs/alerts.md, "Delivery".'
    query: loadTextContent('../queries/dead-letters.kql')
    operator: 'GreaterThan'
    threshold: 0
    minutes: 15
    severity: 1
    enabled: true
  }
  {
    name: 'function-failures'
    title: 'Functions of Tracekeeper fail'
    description: 'Functions of the app ended with errors. The log says which.'
    query: loadTextContent('../queries/function-failures.kql')
    operator: 'GreaterThan'
    threshold: 5
    minutes: 15
    severity: 1
    enabled: true
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'tracekeeper'
    emailReceivers: [
      for (email, index) in emails: {
        name: 'person-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for item in rules: {
    name: 'sqr-${name}-${item.name}'
    location: location
    tags: tags
    properties: {
      displayName: item.title
      description: item.description
      enabled: item.enabled
      severity: item.severity
      evaluationFrequency: 'PT5M'
      windowSize: 'PT${item.minutes}M'
      scopes: [workspaceId]
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: item.query
            timeAggregation: 'Count'
            operator: item.operator
            threshold: item.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [people.id]
      }
    }
  }
]
