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

@description('Audience of the federated credential; differs in national clouds.')
param federationAudience string

var exchangeOnline = '00000002-0000-0ff1-ce00-000000000000'
var microsoftGraph = '00000003-0000-0000-c000-000000000000'

// Delegated: EWS.AccessAsUser.All. Application: full_access_as_app.
var ewsDelegated = [{ id: '3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5', type: 'Scope' }]
var ewsAppOnly = [{ id: 'dc890d15-9560-4a4c-9b7f-a736ec74ec40', type: 'Role' }]

// openid, profile, offline_access, Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read, User.Read: all delegated.
var graphDelegated = [
  { id: '37f7f235-527c-4136-accd-4a02d197296e', type: 'Scope' }
  { id: '14dad69e-099b-42c9-810b-d002981feec1', type: 'Scope' }
  { id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', type: 'Scope' }
  { id: '570282fd-fa5c-430d-a7fd-fc8dc98a9dca', type: 'Scope' }
  { id: '465a38f9-76ea-45b9-9f34-9e8b0d4b0b42', type: 'Scope' }
  { id: 'ff74d97f-43af-4b68-9f2a-b77ee6968c5d', type: 'Scope' }
  { id: 'f45671fb-e0fe-4b4b-be20-3d3ce43f1bcb', type: 'Scope' }
  { id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', type: 'Scope' }
]

// Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read.All, User.Read.All: application permissions.
var graphAppOnly = [
  { id: '810c84a8-4a9e-49e6-bf7d-12d183f40d01', type: 'Role' }
  { id: '798ee544-9d2d-430c-a058-570e29e34338', type: 'Role' }
  { id: '089fe4d0-434a-44c5-8827-41ba8a0b17f5', type: 'Role' }
  { id: 'f10e1f91-74ed-437f-a6fd-d6ae88e26c1f', type: 'Role' }
  { id: 'df021288-bdef-4463-88db-98f22de89214', type: 'Role' }
]

// The scope that programs ask for when they call the API as somebody. What they may do there is the roles' matter.
var scopeId = guid(uniqueName, 'user_impersonation')
var scopes = [
  {
    id: scopeId
    value: 'user_impersonation'
    type: 'User'
    adminConsentDisplayName: 'Call the API of Mailbox Sync'
    adminConsentDescription: 'Calls the API as the signed-in user, with the roles that the user has there.'
    userConsentDisplayName: 'Call the API of Mailbox Sync'
    userConsentDescription: 'Calls the API as you, with the roles that you have there.'
    isEnabled: true
  }
]

// The ids of roles have to stay the same, or everybody who has a role loses it.
var roles = [
  {
    id: guid(uniqueName, 'Operator')
    value: 'Operator'
    displayName: 'Operator'
    description: 'Sees every mailbox\'s freshness, reads the copies, invites people, activates, pauses, disconnects and erases mailboxes.'
    allowedMemberTypes: ['User', 'Application']
    isEnabled: true
  }
  {
    id: guid(uniqueName, 'Operator.Read')
    value: 'Operator.Read'
    displayName: 'Operator (read only)'
    description: 'Sees every mailbox\'s freshness and history, and changes nothing.'
    allowedMemberTypes: ['User', 'Application']
    isEnabled: true
  }
  {
    id: guid(uniqueName, 'Replica.Read')
    value: 'Replica.Read'
    displayName: 'Replica reader'
    description: 'Reads the copies of all mailboxes, or of those that an operator lists, through the API.'
    allowedMemberTypes: ['User', 'Application']
    isEnabled: true
  }
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
    { resourceAppId: microsoftGraph, resourceAccess: appOnly ? concat(graphDelegated, graphAppOnly) : graphDelegated }
  ]
  api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: scopes }
  // When a person last proved who they are, which an erasure asks for; and whether a program signed in for itself.
  optionalClaims: {
    idToken: [{ name: 'auth_time', essential: false }]
    accessToken: [{ name: 'idtyp', essential: false }]
  }
  appRoles: roles
}

resource federation 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${application.uniqueName}/managed-identity'
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: identityPrincipalId
  audiences: [federationAudience]
  description: 'The app proves itself by its managed identity: there is no secret to keep or to expire.'
}

resource enterpriseApplication 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

// Apart, since both name what exists only once the application does: its client id and its scope.
module exposedApi 'exposed_api.bicep' = {
  name: 'exposed-api'
  params: {
    uniqueName: application.uniqueName
    displayName: displayName
    clientId: application.appId
    scopes: scopes
    scopeId: scopeId
  }
}

output clientId string = application.appId
