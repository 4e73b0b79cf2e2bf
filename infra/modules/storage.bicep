metadata description = 'Storage without shared keys: state, ledger, evidence under immutability, work, configuration, the package.'

param accountName string
param location string
param tags object

@description('Whom to send the logs of reads, writes and deletes: a workspace\'s resource id.')
param workspaceId string

@description('For how many days nobody can change or delete a bundle. Locking the period is a separate, deliberate step: docs/deploy.md.')
@minValue(1)
@maxValue(146000)
param evidenceImmutableDays int

@description('After how many days a bundle moves to the cool tier.')
@minValue(1)
param evidenceCoolAfterDays int

@description('After how many days what an export leaves behind while it works is deleted.')
@minValue(1)
param workDays int = 7

@description('Whether the public may try to reach it at all; roles decide then.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Whom the firewall lets in of those.')
@allowed(['Allow', 'Deny'])
param firewallDefault string

// Every name here is one that the code opens: a test holds the two together.
var containers = ['state', 'ledger', 'config', 'work']
var queues = ['exports', 'exports-poison']
var packageContainer = 'app-package'

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      // Without the private network the app comes from addresses that nobody knows before: roles decide alone.
      defaultAction: firewallDefault
      bypass: 'AzureServices'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
        queue: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: 30
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 30
    }
  }
}

resource plain 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for name in concat(filter(containers, name => name != 'ledger'), [packageContainer]): {
    parent: blobs
    name: name
    properties: {
      publicAccess: 'None'
    }
  }
]

resource evidence 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'evidence'
  properties: {
    publicAccess: 'None'
    immutableStorageWithVersioning: {
      enabled: true
    }
  }
}

resource evidencePeriod 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = {
  parent: evidence
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: evidenceImmutableDays
  }
}

resource ledger 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'ledger'
  properties: {
    publicAccess: 'None'
  }
}

resource ledgerPeriod 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = {
  parent: ledger
  name: 'default'
  properties: {
    // Lines may be added at the end, and nothing else may happen.
    allowProtectedAppendWrites: true
    immutabilityPeriodSinceCreationInDays: evidenceImmutableDays
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'work-is-short-lived'
          type: 'Lifecycle'
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterCreationGreaterThan: workDays
                }
              }
              version: {
                delete: {
                  daysAfterCreationGreaterThan: workDays
                }
              }
            }
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['work/']
            }
          }
        }
        {
          name: 'evidence-cools'
          type: 'Lifecycle'
          definition: {
            actions: {
              baseBlob: {
                tierToCool: {
                  daysAfterCreationGreaterThan: evidenceCoolAfterDays
                }
              }
            }
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['evidence/']
            }
          }
        }
        {
          name: 'old-versions-of-state-go'
          type: 'Lifecycle'
          definition: {
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: 30
                }
              }
            }
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['state/']
            }
          }
        }
      ]
    }
  }
  dependsOn: [blobs]
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for name in queues: {
    parent: queueService
    name: name
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

// Who read evidence without asking the app is seen here.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
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
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queueService
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
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tableService
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
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output tableEndpoint string = account.properties.primaryEndpoints.table
output packageContainer string = packageContainer
