// Private endpoints and DNS zones: both storage accounts and the vault can be reached from the network only.
param prefix string
param networkId string
param subnetId string
param mailAccountId string
param hostAccountId string
param vaultId string
param location string
param tags object

var targets = [
  { name: 'mail-blob', resourceId: mailAccountId, kind: 'blob', zone: 0 }
  { name: 'mail-queue', resourceId: mailAccountId, kind: 'queue', zone: 1 }
  { name: 'mail-table', resourceId: mailAccountId, kind: 'table', zone: 2 }
  { name: 'host-blob', resourceId: hostAccountId, kind: 'blob', zone: 0 }
  { name: 'vault', resourceId: vaultId, kind: 'vault', zone: 3 }
]

var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink${replace(environment().suffixes.keyvaultDns, 'vault.', 'vaultcore.')}'
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in zoneNames: {
  name: zone
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, index) in zoneNames: {
  parent: zones[index]
  name: 'app-network'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkId }
  }
}]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-09-01' = [for target in targets: {
  name: '${prefix}-${target.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: target.name
        properties: { privateLinkServiceId: target.resourceId, groupIds: [target.kind] }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [for (target, index) in targets: {
  parent: endpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: target.kind, properties: { privateDnsZoneId: zones[target.zone].id } }]
  }
}]
