// The Key Vault with refresh tokens and the app's signing key. Access is by role only. What is deleted stays recoverable
// for a while, and nobody can purge it earlier.
@minLength(3)
@maxLength(24)
param name string
param principalId string
param workspaceId string
param publicAccess bool

@description('Whether a lock prevents the deletion of the refresh tokens.')
param protectData bool
param location string
param tags object

@minValue(7)
@maxValue(90)
@description('Days that a deleted secret stays recoverable. A disconnected person\'s token is held so long, disabled.')
param softDeleteDays int = 7

var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: publicAccess ? 'Allow' : 'Deny'
      bypass: 'None'
    }
  }
}

resource secrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsOfficer)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
    description: 'Refresh tokens are read, written, disabled and deleted.'
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (protectData) {
  name: 'keep-tokens'
  scope: vault
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds everybody\'s refresh tokens.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
