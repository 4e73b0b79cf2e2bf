metadata description = 'The right to read one component that others own, and nothing else of theirs. Deployed into its group.'

param componentName string
param principalId string

// Log Analytics Data Reader: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var logAnalyticsDataReader = '3b03c2da-16b3-4a49-8834-0f8130efdd3b'

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// Asked by resource id, a component answers with its own rows alone: the narrowest scope that there is.
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, logAnalyticsDataReader)
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsDataReader)
  }
}
