// The second half of the app registration: its identifier URI, and the Azure CLI as a client that nobody has to consent
// to, so that `az account get-access-token --scope api://<client id>/.default` gives a token for the API.
extension microsoftGraphV1

param uniqueName string
param displayName string
param clientId string

@description('The exposed scopes, as the application already has them.')
param scopes array

@description('The scope that the Azure CLI gets without anybody\'s consent.')
param scopeId string

// Microsoft's own id of the Azure CLI, the same in every tenant.
var azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  identifierUris: ['api://${clientId}']
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: scopes
    preAuthorizedApplications: [
      { appId: azureCli, delegatedPermissionIds: [scopeId] }
    ]
  }
}
