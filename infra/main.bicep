targetScope = 'subscription'

metadata description = 'Tracekeeper beside agents that are already traced, or with a workspace of its own.'

@description('Name of the azd environment; every name carries it.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region of all resources.')
param location string

@description('An existing Application Insights component to read: its resource id, in any subscription. The narrowest scope. One deployment reads one: docs/infrastructure.md, "Several".')
param existingComponentId string = ''

@description('An existing workspace to read: its resource id, in any subscription. Wider: all components that send to it. Left alone where a component is given.')
param existingWorkspaceId string = ''

@description('Whether we may assign the role to read what exists. If not, the postprovision hook prints the commands for its owner.')
param assignExistingRoles bool = true

@description('Our own app registration, where one exists already: its client id. Else one is made.')
param existingAppClientId string = ''

@description('For how many days rows are kept: of our own workspace, or of the one that is read.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Whether only readers with a further role may see content in our own workspace.')
param protectContent bool = true

@description('Whether bundles may hold masked content. Only then may the app read its table.')
param contentProfile bool = false

@allowed(['table', 'inline'])
param contentRouting string = 'table'

@allowed(['analytics', 'basic'])
param contentPlan string = 'analytics'

@description('For how many days nobody can change or delete a bundle.')
@minValue(1)
param evidenceImmutableDays int = 2555

@description('After how many days a bundle moves to the cool tier.')
@minValue(1)
param evidenceCoolAfterDays int = 30

@description('Whether storage and vault are reached only through a private network.')
param vnetEnabled bool = false

@description('Who is written to when the watch itself stops: mail addresses, separated by commas.')
@minLength(3)
param watchdogEmails string

@description('The URL of a Teams workflow. Kept in the vault; leave empty to keep the one that is there.')
@secure()
param teamsWebhookUrl string = ''

@description('32 random bytes in base64. Kept in the vault; leave empty to keep the one that is there.')
@secure()
param pseudonymKey string = ''

@description('Your own name for that key, letters only.')
param pseudonymKeyId string = 'keyA'

@description('Where you publish the public key that bundles are verified with; empty if you hand it out otherwise.')
param publicKeyUrl string = ''

@description('Whose overrides in agents.yaml hold; empty for none.')
param agentEnvironment string = ''

var tags = {
  'azd-env-name': environmentName
}
var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var short = take(toLower(replace(environmentName, '-', '')), 8)
var readsComponent = !empty(existingComponentId)
var readsWorkspace = !empty(existingWorkspaceId) && !readsComponent
var readsOwn = !readsComponent && !readsWorkspace
// The parts of an id: subscription third, group fifth, name ninth. Where there is none the parts are still valid ones,
// since a scope is looked at even where nothing is made in it.
var nobody = '/subscriptions/${subscription().subscriptionId}/resourceGroups/rg-${environmentName}/providers/none/none/none'
var componentId = readsComponent ? existingComponentId : nobody
var workspaceId = readsWorkspace ? existingWorkspaceId : nobody
var component = split(componentId, '/')
var workspace = split(workspaceId, '/')

// Only looked at, for where its rows lie: nothing is deployed into others' groups for it.
resource readComponent 'Microsoft.Insights/components@2020-02-02' existing = if (readsComponent) {
  name: component[8]
  scope: resourceGroup(component[2], component[4])
}

resource readWorkspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = if (readsWorkspace) {
  name: workspace[8]
  scope: resourceGroup(workspace[2], workspace[4])
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${environmentName}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${environmentName}'
    componentName: 'appi-${environmentName}'
    location: location
    tags: tags
    retentionDays: readsOwn ? retentionDays : 30
    protectContent: readsOwn && protectContent
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    accountName: 'st${short}${suffix}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    evidenceImmutableDays: evidenceImmutableDays
    evidenceCoolAfterDays: evidenceCoolAfterDays
    publicNetworkAccess: vnetEnabled ? 'Disabled' : 'Enabled'
    firewallDefault: vnetEnabled ? 'Deny' : 'Allow'
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${short}${take(suffix, 10)}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    publicNetworkAccess: vnetEnabled ? 'Disabled' : 'Enabled'
    firewallDefault: vnetEnabled ? 'Deny' : 'Allow'
    teamsWebhookUrl: teamsWebhookUrl
    pseudonymKey: pseudonymKey
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    vaultName: vault.outputs.name
    componentName: monitoring.outputs.componentName
    ownWorkspaceName: readsOwn ? monitoring.outputs.workspaceName : ''
    contentProfile: contentProfile
  }
}

// The only two things that are ever written outside our resource group, and each is one right to read.
module existingComponent 'modules/existing-component.bicep' = if (readsComponent && assignExistingRoles) {
  name: 'read-component-${environmentName}'
  scope: resourceGroup(component[2], component[4])
  params: {
    componentName: component[8]
    principalId: identity.outputs.principalId
  }
}

module existingWorkspace 'modules/existing-workspace.bicep' = if (readsWorkspace && assignExistingRoles) {
  name: 'read-workspace-${environmentName}'
  scope: resourceGroup(workspace[2], workspace[4])
  params: {
    workspaceName: workspace[8]
    principalId: identity.outputs.principalId
    contentProfile: contentProfile
  }
}

module entra 'modules/entra.bicep' = if (empty(existingAppClientId)) {
  name: 'entra'
  scope: group
  params: {
    uniqueName: 'tracekeeper-${environmentName}-${suffix}'
    displayName: 'Tracekeeper (${environmentName})'
    redirectUri: 'https://func-${environmentName}-${suffix}.azurewebsites.net/.auth/login/aad/callback'
    identityPrincipalId: identity.outputs.principalId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${environmentName}-${suffix}'
    planName: 'plan-${environmentName}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    packageContainer: storage.outputs.packageContainer
    connectionString: monitoring.outputs.connectionString
    canaries: readsOwn
    workspaceId: monitoring.outputs.workspaceId
    logsWorkspaceId: readsOwn ? monitoring.outputs.workspaceCustomerId : (readsWorkspace ? readWorkspace!.properties.customerId : '')
    logsResourceId: existingComponentId
    logsRetentionDays: retentionDays
    contentRouting: contentRouting
    contentPlan: contentPlan
    webhookReference: vault.outputs.webhookReference
    pseudonymReference: vault.outputs.pseudonymReference
    pseudonymKeyId: pseudonymKeyId
    signingKeyUri: vault.outputs.signingKeyUri
    publicKeyUrl: publicKeyUrl
    authClientId: empty(existingAppClientId) ? entra!.outputs.clientId : existingAppClientId
    agentEnvironment: agentEnvironment
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
  }
  dependsOn: [roles]
}

module alarms 'modules/alarms.bicep' = {
  name: 'alarms'
  scope: group
  params: {
    name: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    emails: watchdogEmails
    appName: app.outputs.name
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    appName: app.outputs.name
    ownWorkspaceId: monitoring.outputs.workspaceId
    readWorkspaceId: readsComponent ? readComponent!.properties.WorkspaceResourceId : (readsWorkspace ? existingWorkspaceId : monitoring.outputs.workspaceId)
    functionsWorkspaceName: readsOwn ? monitoring.outputs.workspaceName : ''
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output TRACEKEEPER_APP_NAME string = app.outputs.name
output TRACEKEEPER_URL string = app.outputs.uri
output TRACEKEEPER_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output TRACEKEEPER_VAULT_NAME string = vault.outputs.name
output TRACEKEEPER_STORAGE_NAME string = storage.outputs.name
output TRACEKEEPER_BLOB_ENDPOINT string = storage.outputs.blobEndpoint
output TRACEKEEPER_AUTH_CLIENT_ID string = empty(existingAppClientId) ? entra!.outputs.clientId : existingAppClientId
