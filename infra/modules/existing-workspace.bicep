metadata description = 'The right to read one workspace that others own, and nothing else of theirs. Deployed into its group.'

param workspaceName string
param principalId string

@description('Whether bundles may hold masked content: then its table may be read.')
param contentProfile bool

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var logAnalyticsDataReader = '3b03c2da-16b3-4a49-8834-0f8130efdd3b'
var privilegedMonitoringDataReader = 'dbc9c667-e97f-4491-aee6-90b9cf960190'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

// Every check and every export reads traces.
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, principalId, logAnalyticsDataReader)
  scope: workspace
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsDataReader)
  }
}

// Content is shown, masked, in bundles of the profile `content` only.
resource contentReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contentProfile) {
  name: guid(workspace.id, principalId, privilegedMonitoringDataReader)
  scope: workspace
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', privilegedMonitoringDataReader)
  }
}
