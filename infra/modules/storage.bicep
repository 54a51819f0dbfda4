// Two accounts, so that what the Functions host may do never reaches people's mail:
// one for the copies of mailboxes, one for the host's own bookkeeping and the deployed package.
@minLength(3)
@maxLength(24)
param mailAccountName string

@minLength(3)
@maxLength(24)
param hostAccountName string
param deploymentContainer string
param principalId string

@description('Who deploys, and reads the copies with the command line; empty: nobody but the app reads them.')
param readerId string

@description('User, Group or ServicePrincipal: what readerId is.')
param readerType string

@description('Redundancy of the copies. Zone-redundant storage is not in every region.')
param mailRedundancy string

@description('The host account is zone-redundant where the app is.')
param zoneRedundant bool

@description('Whether a lock prevents the deletion of the copies.')
param protectData bool
param workspaceId string
param publicAccess bool
param location string
param tags object

// The same names as shared/storage/storage_layout.py; tests/unit/infra compares the two.
var containers = ['packs', 'feed', 'cursors', 'leases']
var tables = ['mailboxes', 'owners', 'runs', 'issues', 'audit', 'items', 'authorizations', 'flows', 'invitations', 'approvals', 'backoffs', 'erasures', 'revocations', 'directory', 'summaries', 'webhooks', 'deliveries', 'jobs', 'groups', 'changes', 'readers', 'idempotency']
var queues = ['sync-shards', 'sync-mailboxes', 'webhook-deliveries', 'jobs', 'notices']

var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'

var locked = {
  accessTier: 'Hot'
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
  publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
  networkAcls: {
    defaultAction: publicAccess ? 'Allow' : 'Deny'
    bypass: 'None'
  }
}

resource mail 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: mailAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: mailRedundancy }
  properties: union(locked, { encryption: { requireInfrastructureEncryption: true, keySource: 'Microsoft.Storage' } })
}

resource mailBlobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: mail
  name: 'default'
  properties: {
    // No soft delete and no versions: what people delete has to be gone when the pages say so.
    deleteRetentionPolicy: { enabled: false }
    isVersioningEnabled: false
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource mailContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [for name in containers: {
  parent: mailBlobs
  name: name
  properties: { publicAccess: 'None' }
}]

resource mailTableService 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = {
  parent: mail
  name: 'default'
}

resource mailTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2026-04-01' = [for name in tables: {
  parent: mailTableService
  name: name
}]

resource mailQueueService 'Microsoft.Storage/storageAccounts/queueServices@2026-04-01' = {
  parent: mail
  name: 'default'
}

resource mailQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = [for name in queues: {
  parent: mailQueueService
  name: name
}]

// Read seldom after the first days: packs and feed cool down by themselves. Nothing is deleted by a rule of Storage;
// deleting is the program's, which knows what is still named. Leases' blobs are empty.
resource mailLifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: mail
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          enabled: true
          name: 'cool-packs-and-feed'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['packs/', 'feed/'] }
            actions: { baseBlob: { tierToCool: { daysAfterModificationGreaterThan: 60 } } }
          }
        }
      ]
    }
  }
  dependsOn: [mailBlobs]
}

resource host 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: locked
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: host
  name: 'default'
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: hostBlobs
  name: deploymentContainer
  properties: { publicAccess: 'None' }
}

resource mailBlobRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(mail.id, principalId, blobDataContributor)
  scope: mail
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    description: 'Packs, feed, cursors and leases are read, written and deleted.'
  }
}

resource mailTableRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(mail.id, principalId, tableDataContributor)
  scope: mail
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableDataContributor)
    description: 'Registry, items, runs, issues, authorizations and flows are read, written and deleted.'
  }
}

resource mailQueueRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(mail.id, principalId, queueDataContributor)
  scope: mail
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataContributor)
    description: 'The app sends, its triggers receive and delete, the host makes the poison queues.'
  }
}

// For `python -m shared.cli`, which also writes: an export goes into the audit trail.
resource readerBlobRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readerId)) {
  name: guid(mail.id, readerId, blobDataContributor)
  scope: mail
  properties: {
    principalId: readerId
    principalType: readerType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    description: 'Whoever deploys reads the copies with the command line.'
  }
}

resource readerTableRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readerId)) {
  name: guid(mail.id, readerId, tableDataContributor)
  scope: mail
  properties: {
    principalId: readerId
    principalType: readerType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableDataContributor)
    description: 'Whoever deploys reads the registry and writes the audit trail with the command line.'
  }
}

resource mailLock 'Microsoft.Authorization/locks@2020-05-01' = if (protectData) {
  name: 'keep-mail'
  scope: mail
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the copies of all mailboxes.'
  }
}

resource hostBlobRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, principalId, blobDataOwner)
  scope: host
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataOwner)
    description: 'The Functions host keeps its locks and timers here, and the package is read from here.'
  }
}

resource mailBlobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: mailBlobs
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource mailQueueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: mailQueueService
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageWrite', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource mailTableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: mailTableService
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

output mailAccountId string = mail.id
output mailAccountName string = mail.name
output hostAccountId string = host.id
output hostBlobUrl string = host.properties.primaryEndpoints.blob
output blobUrl string = mail.properties.primaryEndpoints.blob
output queueUrl string = mail.properties.primaryEndpoints.queue
output tableUrl string = mail.properties.primaryEndpoints.table
output deploymentContainerUrl string = '${host.properties.primaryEndpoints.blob}${deploymentContainer}'
