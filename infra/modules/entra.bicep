metadata description = 'The app registration: roles for people, and a credential that is no secret.'

extension microsoftGraphV1

param uniqueName string
param displayName string

@description('Where people are sent back after they have signed in.')
param redirectUri string

@description('The identity that proves itself in place of a secret: its principal id.')
param identityPrincipalId string

// The values are those of functions/access/roles.py: a test holds the two together.
var roles = [
  { value: 'Alerts.Read', displayName: 'Read alerts', description: 'See checks, coverage, alerts and their traces.' }
  { value: 'Alerts.Manage', displayName: 'Manage alerts', description: 'Acknowledge and silence alerts.' }
  { value: 'Traces.Read', displayName: 'Read traces', description: 'Look up sanitized traces one by one.' }
  { value: 'Evidence.Read', displayName: 'Read evidence', description: 'Ask for exports and download bundles.' }
  { value: 'Evidence.ReadContent', displayName: 'Read content', description: 'Download bundles with masked content.' }
  { value: 'Evidence.Approve', displayName: 'Approve exports', description: 'Approve what others ask for.' }
  { value: 'Costs.Read', displayName: 'Read costs', description: 'See what agents cost.' }
  { value: 'Audit.Read', displayName: 'Read the ledger', description: 'See who asked for what.' }
]

// Microsoft Azure CLI: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
var azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  groupMembershipClaims: 'ApplicationGroup'
  appRoles: [
    for role in roles: {
      id: guid(uniqueName, role.value)
      value: role.value
      displayName: role.displayName
      description: role.description
      isEnabled: true
      allowedMemberTypes: ['User', 'Application']
    }
  ]
  // The smoke test and people with curl ask as whoever az is signed in as. Version 2: the issuer that signIn expects.
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [
      {
        id: guid(uniqueName, 'user_impersonation')
        value: 'user_impersonation'
        type: 'User'
        isEnabled: true
        adminConsentDisplayName: 'Use ${displayName}'
        adminConsentDescription: 'Ask ${displayName} as the person who is signed in, with that person\'s roles.'
      }
    ]
    preAuthorizedApplications: [
      {
        appId: azureCli
        delegatedPermissionIds: [guid(uniqueName, 'user_impersonation')]
      }
    ]
  }
  web: {
    redirectUris: [redirectUri]
    implicitGrantSettings: {
      enableIdTokenIssuance: true
    }
  }
}

// The platform signs people in with a token of the app's own identity: there is no secret to keep or to rotate.
resource credential 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${application.uniqueName}/identity'
  audiences: ['api://AzureADTokenExchange']
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: identityPrincipalId
}

// Who has no role gets no token at all.
resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
  appRoleAssignmentRequired: true
}

output clientId string = application.appId
output servicePrincipalId string = servicePrincipal.id
