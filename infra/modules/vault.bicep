metadata description = 'Key Vault: addresses of destinations and the pseudonym key as secrets, the key that signs bundles.'

param name string
param location string
param tags object

@description('Whom to send the audit log: a workspace\'s resource id.')
param workspaceId string

@description('Whether the public may try to reach it at all; roles decide then.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Whom the firewall lets in of those.')
@allowed(['Allow', 'Deny'])
param firewallDefault string

@description('Where alerts are sent: the URL of a Teams workflow. It is a secret.')
@secure()
param teamsWebhookUrl string

@description('32 random bytes in base64.')
@secure()
param pseudonymKey string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      defaultAction: firewallDefault
      bypass: 'AzureServices'
    }
  }
}

resource webhook 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(teamsWebhookUrl)) {
  parent: vault
  name: 'teams-webhook-url'
  properties: {
    contentType: 'URL of a Teams workflow'
    value: teamsWebhookUrl
  }
}

resource pseudonyms 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(pseudonymKey)) {
  parent: vault
  name: 'pseudonym-key'
  properties: {
    contentType: '32 bytes in base64'
    value: pseudonymKey
  }
}

resource signing 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: vault
  name: 'evidence'
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
    attributes: {
      enabled: true
      exportable: false
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output id string = vault.id
output name string = vault.name
output signingKeyUri string = signing.properties.keyUri
output webhookReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=teams-webhook-url)'
output pseudonymReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=pseudonym-key)'
