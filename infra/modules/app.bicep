// The Functions app on Flex Consumption: runtime, identity, scale, and every setting of shared/settings.py.
param name string
param planName string
param appUrl string
param organization string
param supportContact string
param clientId string
param tenants string
param identityId string
param identityClientId string
param hostBlobUrl string
param deploymentContainerUrl string
param blobUrl string
param queueUrl string
param tableUrl string
param vaultUrl string
param insightsName string

@description('The resource that sends mail, and the address it sends from; empty: no mail.')
param mailEndpoint string
param mailSender string
param mailOperators string
param workspaceId string
param subnetId string
param maximumInstances int

@description('Instances that always run for HTTP requests; 0: the first request after a pause waits for a start.')
param alwaysReady int
param zoneRedundant bool

@description('Audience of the managed identity\'s assertion: see main.bicep.')
param federationAudience string
param settingOverrides object
param location string
param tags object

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

// Read by the Functions platform, not by the program. The host needs blobs alone: no trigger of ours keeps anything in
// its queues or tables.
var platformSettings = {
  AzureWebJobsStorage__blobServiceUri: hostBlobUrl
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  MailboxStorage__credential: 'managedidentity'
  MailboxStorage__clientId: identityClientId
  AzureWebJobsDisableHomepage: 'true'
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_THREADPOOL_THREAD_COUNT: '16'
  // glibc would give each of these threads a heap of its own: 390 MB instead of 350 MB for eight first syncs.
  MALLOC_ARENA_MAX: '2'
}

// Every setting of shared/settings.py, by its name there; tests/unit/infra compares both ways. The insights "connection
// string" names an endpoint and no credential: local authentication is off there. The host reads it too.
var programSettings = {
  // settings: begin
  APP_URL: appUrl
  ORGANIZATION: organization
  SUPPORT_CONTACT: supportContact
  ORGANIZATION_COLOR: ''
  ORGANIZATION_LOGO: ''
  ORGANIZATION_COPIES: 'unstated'
  RETURN_URLS: ''
  ENTRA_CLIENT_ID: clientId
  ENTRA_AUTHORITY: environment().authentication.loginEndpoint
  ENTRA_TENANTS: tenants
  OPERATOR_TENANT: tenant().tenantId
  API_CLIENTS: '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
  ENTRA_CREDENTIAL: 'managed_identity'
  ENTRA_CERTIFICATE_SECRET: ''
  ENTRA_ASSERTION_SCOPE: '${federationAudience}/.default'
  AZURE_CLIENT_ID: identityClientId
  EWS_URL: 'https://outlook.office365.com/EWS/Exchange.asmx'
  EWS_DELEGATED_SCOPE: 'https://outlook.office365.com/EWS.AccessAsUser.All'
  EWS_APP_SCOPE: 'https://outlook.office365.com/.default'
  GRAPH_SCOPES: 'https://graph.microsoft.com/Mail.Read,https://graph.microsoft.com/Calendars.Read,https://graph.microsoft.com/Contacts.Read,https://graph.microsoft.com/Tasks.Read,https://graph.microsoft.com/User.Read'
  GRAPH_APP_SCOPE: 'https://graph.microsoft.com/.default'
  GRAPH_URL: 'https://graph.microsoft.com'
  SYNC_SOURCE: 'auto'
  EWS_ENDS: '2027-03-01'
  CUT_OVER_DAYS: '14'
  KEY_VAULT_URL: vaultUrl
  MailboxStorage__blobServiceUri: blobUrl
  MailboxStorage__queueServiceUri: queueUrl
  MailboxStorage__tableServiceUri: tableUrl
  SYNC_SCHEDULE: '0 */30 * * * *'
  SWEEP_SCHEDULE: '0 15 2 * * *'
  SYNC_SHARDS: '16'
  SYNC_BUDGET_SECONDS: '240'
  SYNC_CONNECTIONS: '3'
  SYNC_FOLDERS_IN: ''
  SYNC_FOLDERS_OUT: 'junkemail,deleteditems'
  SYNC_MAIL_DAYS: '0'
  SYNC_CONTENT: 'mime'
  SYNC_LARGEST_ITEM_MB: '150'
  SYNC_PRIVATE_ITEMS: 'false'
  SYNC_EXCLUDE: ''
  SYNC_SHARED_MAILBOXES: ''
  SYNC_ARCHIVES: 'false'
  SYNC_OCCURRENCE_DAYS_BACK: '14'
  SYNC_OCCURRENCE_DAYS_AHEAD: '365'
  REPLICA_DELETED_DAYS: '7'
  REPLICA_RETENTION_DAYS: '0'
  SIGN_IN_MINUTES: '15'
  SESSION_MINUTES: '30'
  INVITATION_DAYS: '7'
  WEBHOOK_PRIVATE_HOSTS: ''
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  MAIL_ENDPOINT: mailEndpoint
  MAIL_SENDER: mailSender
  MAIL_OPERATORS: mailOperators
  MAIL_PEOPLE: 'true'
  MAIL_LANGUAGE: 'en'
  REJECTIONS_BEFORE_SIGN_IN: '6'
  FAILURES_BEFORE_SUSPENSION: '10'
  // settings: end
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the service by this tag, and stops when it finds it on two resources.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady == 0 ? [] : [{ name: 'http', instanceCount: alwaysReady }]
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }
}

// Apart from the app, and without a loop: Bicep loops only over what is known before insights has its endpoint.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(platformSettings, programSettings, settingOverrides)
}

// Deployment is by identity too: no user name and password for FTP or the deployment site.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = [for site in ['ftp', 'scm']: {
  parent: app
  name: site
  properties: { allow: false }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
