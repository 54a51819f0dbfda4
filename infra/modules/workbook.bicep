// A workbook with the program's own figures: passes, freshness, reasons for failure, throughput.
param workspaceId string
param location string
param tags object

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'mailbox-sync')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Mailbox Sync'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}
