// Everything Mailbox Sync needs, in one resource group of the operator's subscription. No key, secret or connection
// string is created, listed or output: the app reaches every resource with its user-assigned identity and roles.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Names the environment and its resource group; azd asks for it.')
param environmentName string

@minLength(1)
@description('Where everything is kept. Choose the region your mailboxes may be kept in. These have Flex Consumption.')
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({ azd: { type: 'location' } })
param location string

@description('The name that people see on the pages.')
param organization string = 'Your organization'

@description('Where people can ask for help: an address or a URL.')
param supportContact string = ''

@description('Who the alerts write to; empty: alerts show in the portal only.')
param alertAddress string = ''

@description('An https URL that the alerts call, in the common alert schema; empty: none.')
param alertWebhook string = ''

@description('Resource id of an action group of yours that the alerts use instead of one made here.')
param alertActionGroupId string = ''

@description('Whether to make the app registration here. Needs Entra rights; false: infra/scripts/register_app does it afterward.')
param registerApplication bool = true

@description('The client id of an existing registration, when registerApplication is false.')
param clientId string = ''

@description('Who may sign in: tenant ids, comma-separated, or organizations. Empty: this tenant.')
param tenants string = ''

@description('Whether the registration also asks for app-only access to mailboxes, by EWS and by Graph.')
param appOnly bool = false

@description('Audience of the federated credential. Azure Government: api://AzureADTokenExchangeUSGov, China: api://AzureADTokenExchangeChina.')
param federationAudience string = 'api://AzureADTokenExchange'

@description('Whether whoever deploys may read the copies of mailboxes, for the command line.')
param deployerReadsData bool = true

@description('Object id of whoever deploys; azd fills it in.')
param principalId string = ''

@description('What that is; azd fills it in.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param principalType string = 'User'

@description('Prevents the deletion of the mail account and the vault, by whomever, until the locks are removed.')
param protectData bool = false

@description('Redundancy of the copies: zones of the region, one building, or zones and a paired region.')
@allowed(['Standard_ZRS', 'Standard_LRS', 'Standard_GZRS'])
param mailRedundancy string = 'Standard_ZRS'

@description('Spreads the app over availability zones. Two instances of each group of functions then always run and cost.')
param zoneRedundant bool = false

@minValue(0)
@maxValue(20)
@description('Instances that always run for pages and API; 0: the first request after a pause waits some seconds.')
param alwaysReady int = 0

@description('Puts storage and vault behind private endpoints, which only the app\'s network reaches.')
param vnetEnabled bool = false

@description('The app\'s address when it has its own domain, such as https://mail.contoso.com; empty: the default one.')
param customAppUrl string = ''

@description('Where Communication Services keeps the mail about mailboxes that it sends; empty: no mail is sent.')
@allowed([
  ''
  'Africa'
  'Asia Pacific'
  'Australia'
  'Brazil'
  'Canada'
  'Europe'
  'France'
  'Germany'
  'India'
  'Japan'
  'Korea'
  'Norway'
  'Switzerland'
  'UAE'
  'UK'
  'United States'
])
param mailDataLocation string = ''

@description('Who is told by mail of mailboxes that stop or recover, and gets the daily digest: addresses, comma-separated.')
param mailOperators string = ''

@description('Settings that differ from their defaults, by name: see the README\'s table.')
param settingOverrides object = {}

@minValue(1)
@maxValue(1000)
@description('How many instances each function may grow to, all HTTP functions together. 1 is the least that Azure takes.')
param maximumInstances int = 40

@minValue(1)
@maxValue(1000000)
@description('How many mailboxes are expected: sets the daily cap of logs and the thresholds of alerts.')
param expectedMailboxes int = 1000

@minValue(0)
@description('Gigabytes of logs a day, past which the alerts see nothing; 0: twice what the expected mailboxes write.')
param dailyLogsGb int = 0

// A pass writes about 5 kB, and there are 48 a day.
var logsKilobytes = expectedMailboxes * 48 * 5 * 2
var logsGb = dailyLogsGb == 0 ? max(1, (logsKilobytes + 999999) / 1000000) : dailyLogsGb

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
    federationAudience: federationAudience
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${token}'
    insightsName: '${abbreviations.applicationInsights}${token}'
    principalId: identity.outputs.principalId
    dailyLogsGb: logsGb
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
    readerId: deployerReadsData ? principalId : ''
    readerType: principalType
    mailRedundancy: mailRedundancy
    zoneRedundant: zoneRedundant
    protectData: protectData
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
    protectData: protectData
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

module mailService 'modules/mail_service.bicep' = if (!empty(mailDataLocation)) {
  name: 'mail-service'
  scope: group
  params: {
    communicationName: '${abbreviations.communicationService}${token}'
    emailName: '${abbreviations.emailService}${token}'
    dataLocation: mailDataLocation
    principalId: identity.outputs.principalId
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
    hostBlobUrl: storage.outputs.hostBlobUrl
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    blobUrl: storage.outputs.blobUrl
    queueUrl: storage.outputs.queueUrl
    tableUrl: storage.outputs.tableUrl
    vaultUrl: vault.outputs.url
    insightsName: monitoring.outputs.insightsName
    mailEndpoint: empty(mailDataLocation) ? '' : mailService!.outputs.endpoint
    mailSender: empty(mailDataLocation) ? '' : mailService!.outputs.sender
    mailOperators: mailOperators
    workspaceId: monitoring.outputs.workspaceId
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    maximumInstances: maximumInstances
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    federationAudience: federationAudience
    settingOverrides: settingOverrides
    location: location
    tags: tags
  }
}

module actionGroup 'modules/action_group.bicep' = if (empty(alertActionGroupId)) {
  name: 'action-group'
  scope: group
  params: {
    name: '${abbreviations.actionGroup}${token}'
    address: alertAddress
    webhook: alertWebhook
    tags: tags
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    prefix: token
    queryRulePrefix: abbreviations.scheduledQueryRule
    metricAlertPrefix: abbreviations.metricAlert
    actionGroupId: empty(alertActionGroupId) ? actionGroup!.outputs.id : alertActionGroupId
    expectedMailboxes: expectedMailboxes
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
output ENTRA_CLIENT_ID string = registerApplication ? registration!.outputs.clientId : clientId
output SIGN_IN_LINK string = '${appUrl}/'
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output KEY_VAULT_NAME string = vault.outputs.name
output MAIL_STORAGE_ACCOUNT string = storage.outputs.mailAccountName
