// Everything Mailbox Sync needs in one resource group of the operator's subscription. No key, secret or connection
// string is made, listed or output: the app's user-assigned identity opens each door, and roles say which.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Names the environment and its resource group; azd asks for it.')
param environmentName string

@minLength(1)
@description('Where everything lies. Choose the region your mailboxes may be kept in.')
param location string

@description('The name that people see on the pages.')
param organization string = 'Your organization'

@description('Where people can ask for help: an address or a URL.')
param supportContact string = ''

@description('Who is written to by the alerts; empty: alerts show in the portal alone.')
param alertAddress string = ''

@description('Whether to make the app registration here. Needs Entra rights; false: infra/scripts/register_app does it afterwards.')
param registerApplication bool = true

@description('The client id of an existing registration, when registerApplication is false.')
param clientId string = ''

@description('Who may sign in: tenant ids, comma-separated, or organizations. Empty: this tenant.')
param tenants string = ''

@description('Whether the registration also asks for app-only access to mailboxes (full_access_as_app).')
param appOnly bool = false

@description('Puts storage and vault behind private endpoints, reachable from the app alone.')
param vnetEnabled bool = false

@description('The app\'s address when it has a domain of its own, such as https://mail.contoso.com; empty: the default one.')
param customAppUrl string = ''

@description('Settings that differ from their defaults, by name: see the README\'s table.')
param settingOverrides object = {}

@minValue(1)
@maxValue(1000)
@description('How many instances the app may grow to.')
param maximumInstances int = 40

@minValue(1)
@description('Gigabytes of logs a day. A pass writes about 5 kB, 1,000 mailboxes 0.25 GB a day; past this the alerts see nothing.')
param dailyLogsGb int = 10

var abbreviations = loadJsonContent('abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var appName = '${abbreviations.functionApp}${token}'
var appUrl = empty(customAppUrl) ? 'https://${appName}.azurewebsites.net' : customAppUrl

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}${token}'
    location: location
    tags: tags
  }
}

module registration 'modules/registration.bicep' = if (registerApplication) {
  name: 'registration'
  scope: group
  params: {
    uniqueName: 'mailbox-sync-${token}'
    displayName: 'Mailbox Sync (${environmentName})'
    appUrl: appUrl
    identityPrincipalId: identity.outputs.principalId
    appOnly: appOnly
    multiTenant: !empty(tenants) && tenants != tenant().tenantId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${token}'
    insightsName: '${abbreviations.applicationInsights}${token}'
    principalId: identity.outputs.principalId
    dailyLogsGb: dailyLogsGb
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${token}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    mailAccountName: '${abbreviations.storageAccount}mail${token}'
    hostAccountName: '${abbreviations.storageAccount}host${token}'
    deploymentContainer: '${abbreviations.deploymentContainer}${token}'
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    publicAccess: !vnetEnabled
    location: location
    tags: tags
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: '${abbreviations.keyVault}${token}'
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    publicAccess: !vnetEnabled
    location: location
    tags: tags
  }
}

module endpoints 'modules/endpoints.bicep' = if (vnetEnabled) {
  name: 'endpoints'
  scope: group
  params: {
    prefix: '${abbreviations.privateEndpoint}${token}'
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointSubnetId
    mailAccountId: storage.outputs.mailAccountId
    hostAccountId: storage.outputs.hostAccountId
    vaultId: vault.outputs.id
    location: location
    tags: tags
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: appName
    planName: '${abbreviations.plan}${token}'
    appUrl: appUrl
    organization: organization
    supportContact: supportContact
    clientId: registerApplication ? registration!.outputs.clientId : clientId
    tenants: empty(tenants) ? tenant().tenantId : tenants
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostAccountName: storage.outputs.hostAccountName
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    blobUrl: storage.outputs.blobUrl
    queueUrl: storage.outputs.queueUrl
    tableUrl: storage.outputs.tableUrl
    vaultUrl: vault.outputs.url
    insightsName: monitoring.outputs.insightsName
    workspaceId: monitoring.outputs.workspaceId
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    maximumInstances: maximumInstances
    settingOverrides: settingOverrides
    location: location
    tags: union(tags, { 'azd-service-name': 'app' })
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    prefix: token
    queryRulePrefix: abbreviations.scheduledQueryRule
    metricAlertPrefix: abbreviations.metricAlert
    actionGroupName: '${abbreviations.actionGroup}${token}'
    alertAddress: alertAddress
    workspaceId: monitoring.outputs.workspaceId
    mailAccountId: storage.outputs.mailAccountId
    vaultId: vault.outputs.id
    location: location
    tags: tags
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: tags
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output APP_URL string = appUrl
output APP_NAME string = app.outputs.name
output SIGN_IN_LINK string = '${appUrl}/'
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output KEY_VAULT_NAME string = vault.outputs.name
output MAIL_STORAGE_ACCOUNT string = storage.outputs.mailAccountName
