// Whom the alerts write to, where no action group of your own is given.
param name string
param address string

@description('An https URL that is called in the common alert schema; empty: none.')
param webhook string
param tags object

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mailboxsync'
    emailReceivers: empty(address) ? [] : [
      { name: 'operator', emailAddress: address, useCommonAlertSchema: true }
    ]
    webhookReceivers: empty(webhook) ? [] : [
      { name: 'webhook', serviceUri: webhook, useCommonAlertSchema: true }
    ]
  }
}

output id string = group.id
