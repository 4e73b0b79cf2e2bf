metadata description = 'The function app on Flex Consumption: plan, site, settings, sign-in, logs.'

param name string
param planName string
param location string
param tags object

param identityId string
param identityClientId string

param storageName string
param blobEndpoint string
param queueEndpoint string
param tableEndpoint string
param packageContainer string

@description('Our own component, which takes the app\'s telemetry, marker runs and heartbeat. No secret: it takes nothing without a token.')
@secure()
param connectionString string

@description('Whether marker runs are sent: only where the app reads the workspace that they arrive in.')
param canaries bool

@description('Whom to send the platform\'s logs.')
param workspaceId string

@description('The workspace that is asked, by its customer id; empty where a resource is asked.')
param logsWorkspaceId string

@description('The resource that is asked; empty where a workspace is asked.')
param logsResourceId string

@description('For how many days the telemetry that is asked is kept.')
param logsRetentionDays int

@allowed(['table', 'inline'])
param contentRouting string

@allowed(['analytics', 'basic'])
param contentPlan string

param webhookReference string
param pseudonymReference string
param pseudonymKeyId string
param signingKeyUri string

@description('Where you publish the public key that bundles are verified with; empty if you hand it out otherwise.')
param publicKeyUrl string

param authClientId string

@description('Whose overrides in agents.yaml hold; empty for none.')
param agentEnvironment string

@description('The subnet that the app goes out through; empty without a private network.')
param subnetId string

@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

var loginEndpoint = environment().authentication.loginEndpoint

// What the code reads, and what the host needs: a test holds these names to functions/settings.py.
var settings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString
  AUTH_CLIENT_ID: authClientId
  AUTH_TENANT_ID: tenant().tenantId
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__tableServiceUri: tableEndpoint
  CANARY_CONNECTION_STRING: canaries ? connectionString : ''
  CONFIG_DIRECTORY: ''
  CONTENT_PLAN: contentPlan
  CONTENT_ROUTING: contentRouting
  ENVIRONMENT_NAME: agentEnvironment
  EXPORTS_PER_HOUR: '10'
  LOGS_ENDPOINT: 'https://api.loganalytics.azure.com'
  LOGS_RESOURCE_ID: logsResourceId
  LOGS_RETENTION_DAYS: string(logsRetentionDays)
  LOGS_WORKSPACE_ID: logsWorkspaceId
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  PSEUDONYM_KEY: pseudonymReference
  PSEUDONYM_KEY_ID: pseudonymKeyId
  PSEUDONYM_KEY_PREVIOUS: ''
  PSEUDONYM_KEY_PREVIOUS_ID: ''
  PUBLIC_KEY_URL: publicKeyUrl
  REQUESTS_PER_MINUTE: '60'
  SIGNING_KEY: signingKeyUri
  STORAGE_BLOB_ENDPOINT: blobEndpoint
  TEAMS_WEBHOOK_URL: webhookReference
}

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'tracekeeper' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: settings
  }

  // One action for the whole app: only pages without data and the sign of life are outside it.
  resource signIn 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: {
        enabled: true
      }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        excludedPaths: ['/portal', '/portal/*', '/api/v1/health']
      }
      httpSettings: {
        requireHttps: true
      }
      login: {
        tokenStore: {
          enabled: false
        }
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: authClientId
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
            openIdIssuer: '${loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: {
            allowedAudiences: [authClientId, 'api://${authClientId}']
          }
        }
      }
    }
    dependsOn: [appSettings]
  }

  // Nobody publishes with a password.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: site
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

output id string = site.id
output name string = site.name
output uri string = 'https://${site.properties.defaultHostName}'
