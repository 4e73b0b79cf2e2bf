metadata description = 'A workspace of our own: for our telemetry, and for agents that have none yet.'

param workspaceName string
param componentName string
param location string
param tags object

@description('For how many days rows are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Whether the content of prompts and answers is kept from readers who lack Privileged Monitoring Data Reader.')
param protectContent bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource content 'Microsoft.OperationalInsights/workspaces/tables@2026-03-01' = if (protectContent) {
  parent: workspace
  name: 'AppGenAIContent'
  properties: {
    protectionLevel: 'Protected'
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource workspaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-itself'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output workspaceCustomerId string = workspace.properties.customerId
output componentId string = component.id
output componentName string = component.name
output connectionString string = component.properties.ConnectionString
