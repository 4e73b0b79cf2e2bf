metadata description = 'What watches the watcher: rules and a mailbox that need nothing of the app.'

param name string
param location string
param tags object

@description('Our own workspace, where heartbeat, logs and failures of the app arrive.')
param workspaceId string

@description('Who is written to when the watch stops, separated by commas: mailboxes that somebody reads, no Teams workflow of ours.')
@minLength(3)
param emails string

@description('The app: the role under which the Functions host sends its logs.')
param appName string

var rules = [
  {
    name: 'heartbeat'
    title: 'Tracekeeper has stopped watching'
    description: 'No complete tick has been counted for ten minutes. See docs/alerts.md, "Heartbeat".'
    query: replace(loadTextContent('../queries/heartbeat.kql'), '$app', appName)
    operator: 'LessThan'
    threshold: 1
    minutes: 10
    severity: 0
  }
  {
    name: 'dead-letters'
    title: 'Tracekeeper could not deliver news'
    description: 'A destination took nothing for a day, or never will. See docs/alerts.md, "Delivery".'
    query: replace(loadTextContent('../queries/dead-letters.kql'), '$app', appName)
    operator: 'GreaterThan'
    threshold: 0
    minutes: 15
    severity: 1
  }
  {
    name: 'function-failures'
    title: 'Functions of Tracekeeper fail'
    description: 'Functions of the app ended with errors. The answer says which, the log why.'
    query: replace(loadTextContent('../queries/function-failures.kql'), '$app', appName)
    operator: 'GreaterThan'
    threshold: 0
    minutes: 15
    severity: 1
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
      for (email, index) in split(emails, ','): {
        name: 'person-${index}'
        emailAddress: trim(email)
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
      enabled: true
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
