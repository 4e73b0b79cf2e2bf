metadata description = 'The right to read one component that others own, and nothing else of theirs. Deployed into its group.'

param componentName string
param principalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05'

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// Asked by resource id, a component answers with its own rows alone: the narrowest scope that there is. That takes
// microsoft.insights/logs/*/read, which Log Analytics Data Reader lacks: it works on workspaces only.
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, monitoringReader)
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
  }
}
