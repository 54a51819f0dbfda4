// The app registration in Entra ID, without a secret: the managed identity is federated as its credential.
// Whoever deploys this needs the right to register applications; infra/scripts does the same for those who may not.
extension microsoftGraphV1

param uniqueName string
param displayName string
param appUrl string

@description('The managed identity\'s object id, which the federated credential trusts.')
param identityPrincipalId string

@description('Whether to ask for app-only access to mailboxes; an administrator must approve it and should narrow it.')
param appOnly bool

param multiTenant bool

var exchangeOnline = '00000002-0000-0ff1-ce00-000000000000'
var microsoftGraph = '00000003-0000-0000-c000-000000000000'

// Delegated: EWS.AccessAsUser.All. Application: full_access_as_app.
var ewsDelegated = [{ id: '3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5', type: 'Scope' }]
var ewsAppOnly = [{ id: 'dc890d15-9560-4a4c-9b7f-a736ec74ec40', type: 'Role' }]

// openid, profile, offline_access, Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read: all delegated.
var graphDelegated = [
  { id: '37f7f235-527c-4136-accd-4a02d197296e', type: 'Scope' }
  { id: '14dad69e-099b-42c9-810b-d002981feec1', type: 'Scope' }
  { id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', type: 'Scope' }
  { id: '570282fd-fa5c-430d-a7fd-fc8dc98a9dca', type: 'Scope' }
  { id: '465a38f9-76ea-45b9-9f34-9e8b0d4b0b42', type: 'Scope' }
  { id: 'ff74d97f-43af-4b68-9f2a-b77ee6968c5d', type: 'Scope' }
  { id: 'f45671fb-e0fe-4b4b-be20-3d3ce43f1bcb', type: 'Scope' }
]

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: multiTenant ? 'AzureADMultipleOrgs' : 'AzureADMyOrg'
  web: {
    homePageUrl: '${appUrl}/'
    redirectUris: ['${appUrl}/sign-in/callback', '${appUrl}/approval/callback']
    implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false }
  }
  requiredResourceAccess: [
    { resourceAppId: exchangeOnline, resourceAccess: appOnly ? concat(ewsDelegated, ewsAppOnly) : ewsDelegated }
    { resourceAppId: microsoftGraph, resourceAccess: graphDelegated }
  ]
  api: { requestedAccessTokenVersion: 2 }
  appRoles: [
    {
      id: guid(uniqueName, 'Operator')
      value: 'Operator'
      displayName: 'Operator'
      description: 'Sees every mailbox\'s freshness, invites people, activates, pauses, disconnects and erases mailboxes.'
      allowedMemberTypes: ['User', 'Application']
      isEnabled: true
    }
  ]
}

resource federation 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${application.uniqueName}/managed-identity'
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: identityPrincipalId
  audiences: ['api://AzureADTokenExchange']
  description: 'The app proves itself by its managed identity: there is no secret to keep or to expire.'
}

resource enterpriseApplication 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

output clientId string = application.appId
