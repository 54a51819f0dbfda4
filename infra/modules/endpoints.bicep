// Private endpoints and their names: both storage accounts and the vault, reachable from the network alone.
param prefix string
param networkId string
param subnetId string
param mailAccountId string
param hostAccountId string
param vaultId string
param location string
param tags object

var doors = [
  { name: 'mail-blob', target: mailAccountId, kind: 'blob', zone: 0 }
  { name: 'mail-queue', target: mailAccountId, kind: 'queue', zone: 1 }
  { name: 'mail-table', target: mailAccountId, kind: 'table', zone: 2 }
  { name: 'host-blob', target: hostAccountId, kind: 'blob', zone: 0 }
  { name: 'vault', target: vaultId, kind: 'vault', zone: 3 }
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

resource endpoints 'Microsoft.Network/privateEndpoints@2025-09-01' = [for door in doors: {
  name: '${prefix}-${door.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: door.name
        properties: { privateLinkServiceId: door.target, groupIds: [door.kind] }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [for (door, index) in doors: {
  parent: endpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: door.kind, properties: { privateDnsZoneId: zones[door.zone].id } }]
  }
}]
