metadata description = 'For people in the portal: a workbook, and the views as functions of our own workspace.'

param location string
param tags object

@description('The app: the role under which the Functions host sends its logs.')
param appName string

@description('Our own workspace: its resource id.')
param ownWorkspaceId string

@description('The workspace that agents send to: its resource id. Who opens the workbook needs a right to read it.')
param readWorkspaceId string

@description('The workspace that gets the views as functions: our own one, where it is what the app reads; else empty.')
param functionsWorkspaceName string

// Written by `make infra`; a test holds the files to functions/traces and config/agents.yaml.
var views = [
  { name: 'spans', query: loadTextContent('../generated/spans.kql') }
  { name: 'runs', query: loadTextContent('../generated/runs.kql') }
]
var forApp = replace(loadTextContent('../generated/workbook.json'), '$app', appName)
var forOwn = replace(forApp, '$own_workspace', ownWorkspaceId)

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(resourceGroup().id, 'tracekeeper')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Tracekeeper: runs, latency, cost, findings'
    category: 'workbook'
    sourceId: toLower(readWorkspaceId)
    serializedData: replace(forOwn, '$read_workspace', readWorkspaceId)
  }
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = if (!empty(functionsWorkspaceName)) {
  name: empty(functionsWorkspaceName) ? 'none' : functionsWorkspaceName
}

resource view 'Microsoft.OperationalInsights/workspaces/savedSearches@2020-08-01' = [
  for item in views: if (!empty(functionsWorkspaceName)) {
    parent: workspace
    name: 'tracekeeper-${item.name}'
    properties: {
      category: 'Tracekeeper'
      displayName: 'tracekeeper_${item.name}'
      functionAlias: 'tracekeeper_${item.name}'
      functionParameters: 'ReceivedFrom:datetime, ReceivedTo:datetime'
      query: item.query
    }
  }
]
