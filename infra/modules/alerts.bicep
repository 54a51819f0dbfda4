// The alerts. Each rule reads the program's own log lines (JSON, by event and reason), its metrics
// (shared/metrics/instruments.py), or a metric of the platform. docs/operations.md has a section for each.
param prefix string
param queryRulePrefix string
param metricAlertPrefix string
param actionGroupId string

@description('How many mailboxes the thresholds are made for.')
param expectedMailboxes int
param workspaceId string
param mailAccountId string
param vaultId string
param location string
param tags object

var lines = 'AppTraces | where Message startswith "{" | extend line = parse_json(Message)'

// One row a minute and series: Sum is what was added, ItemCount how many values a histogram has.
var metrics = 'AppMetrics | where Name == "mailbox_sync'

// A few failures among many mailboxes are no alarm: one mailbox in a hundred is, or the number that matters in a small
// deployment. A line of late mailboxes is of one shard; there are sixteen.
var lateInShard = expectedMailboxes / 1600
var failuresInHalfAnHour = max(20, expectedMailboxes / 100)
var suspendedInAnHour = expectedMailboxes / 5000
var storageRefusals = max(100, expectedMailboxes / 10)
var vaultRefusals = max(20, expectedMailboxes / 100)

// Shares are of the mailboxes that there are, so that one late mailbox of 50,000 is no outage, and one of five is.
var latePercent = 2
var signInPercent = 2
var failingPercent = 20
var longestQueueSeconds = 900

// severity: 1 mailboxes are not fresh, 2 they will not be for long, 3 look at it when there is time.
var queryRules = [
  {
    name: 'late-share'
    severity: 1
    description: 'Of a hundred mailboxes, more than two have not been synced for three intervals.'
    query: '${metrics}.synced_mailboxes" | summarize late = sumif(Sum, tostring(Properties.freshness) == "late"), mailboxes = sum(Sum) | where late * 100 > mailboxes * ${latePercent}'
    window: 'PT1H'
  }
  {
    name: 'freshness'
    severity: 2
    description: 'Mailboxes have not been synced for three intervals: more of a shard than one in a hundred of those expected.'
    query: '${lines} | where line.event == "shard dispatched" and toint(line.late) > ${lateInShard}'
    window: 'PT1H'
  }
  {
    // An app that has ended writes no line that says so, and neither does a log pipeline that has stopped.
    name: 'silent'
    severity: 1
    description: 'Nothing has been dispatched for two hours: the app does not run, or its logs do not arrive.'
    query: '${lines} | where line.event == "shard dispatched" | summarize dispatched = count() | where dispatched == 0'
    window: 'PT2H'
  }
  {
    name: 'metrics-missing'
    severity: 2
    description: 'No metrics for two hours: the alerts by share see nothing.'
    query: 'AppMetrics | where Name startswith "mailbox_sync." | summarize rows = count() | where rows == 0'
    window: 'PT2H'
  }
  {
    name: 'needs-sign-in'
    severity: 2
    description: 'Of a hundred mailboxes, more than two wait for their person to sign in again.'
    query: '${metrics}.mailboxes" | summarize waiting = sumif(Sum, tostring(Properties.status) == "needs_sign_in"), mailboxes = sumif(Sum, tostring(Properties.status) != "disconnected") | where waiting * 100 > mailboxes * ${signInPercent}'
    window: 'PT1H'
  }
  {
    name: 'failing-passes'
    severity: 2
    description: 'Of a hundred passes, more than twenty end with an error.'
    query: '${metrics}.passes" | summarize failed = sumif(Sum, tostring(Properties.outcome) !in ("done", "continues", "held", "moved", "surveyed", "blocked", "restated")), passes = sum(Sum) | where failed > ${failuresInHalfAnHour} and failed * 100 > passes * ${failingPercent}'
    window: 'PT30M'
  }
  {
    name: 'queue-age'
    severity: 2
    description: 'Messages wait in their queue for a quarter of an hour.'
    query: '${metrics}.queue_age" | summarize waited = sum(Sum), messages = sum(ItemCount) by tostring(Properties.queue) | where waited > messages * ${longestQueueSeconds}'
    window: 'PT30M'
  }
  {
    name: 'our-credential'
    severity: 1
    description: 'Entra ID, Key Vault or Storage refuses the app itself, or its settings are wrong. No mailbox changes state for it; fix it soon.'
    query: '${lines} | where tostring(line.error.reason) in ("our_credential", "our_configuration", "our_storage") or tostring(line.error.type) == "SettingsInvalid"'
    window: 'PT15M'
  }
  {
    name: 'credential-expiring'
    severity: 2
    description: 'The certificate that the app proves itself with ends within 30 days.'
    query: '${lines} | where line.event == "credential expires soon" and toint(line.days_left) <= 30'
    window: 'P1D'
  }
  {
    name: 'ews-blocked'
    severity: 2
    description: 'A tenant has Exchange Web Services switched off for this app: its administrator must list the client id.'
    query: '${lines} | where tostring(line.error.reason) == "ews_blocked" or tostring(line.outcome) == "ews_blocked"'
    window: 'PT1H'
  }
  {
    name: 'suspended'
    severity: 2
    description: 'Mailboxes were suspended after failing again and again.'
    query: '${lines} | where tostring(line.status) == "suspended" | summarize suspended = count() | where suspended > ${suspendedInAnHour}'
    window: 'PT1H'
  }
  {
    name: 'poison'
    severity: 1
    description: 'A message failed at every try and lies in a poison queue.'
    query: 'StorageQueueLogs | where OperationName == "PutMessage" and Uri contains "-poison"'
    window: 'PT15M'
  }
  {
    name: 'webhooks'
    severity: 3
    description: 'An endpoint of a webhook did not take an event within two days.'
    query: '${lines} | where line.event == "webhook delivery given up"'
    window: 'PT1H'
  }
  {
    name: 'function-failures'
    severity: 2
    description: 'Functions fail again and again.'
    query: 'AppRequests | where Success == false and ResultCode !startswith "4" | summarize failures = count() | where failures > ${failuresInHalfAnHour}'
    window: 'PT30M'
  }
]

// The names that Storage has for its limits: of a service, a partition, the account's requests and its bandwidth.
var throttled = ['ServerBusyError', 'ClientThrottlingError', 'ClientAccountRequestThrottlingError', 'ClientAccountBandwidthThrottlingError']

resource queries 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for rule in queryRules: {
  name: '${queryRulePrefix}${prefix}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Mailbox Sync: ${rule.name}'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: rule.window == 'P1D' ? 'P1D' : 'PT15M'
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    // A rule that runs once a day notifies every day until it is fixed; an alert that stays open notifies only once.
    autoMitigate: rule.window != 'P1D'
    skipQueryValidation: true
    actions: { actionGroups: [actionGroupId] }
  }
}]

resource storageThrottled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${metricAlertPrefix}${prefix}-storage-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Storage asks the app to slow down.'
    severity: 3
    enabled: true
    scopes: [mailAccountId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'busy'
          metricName: 'Transactions'
          dimensions: [{ name: 'ResponseType', operator: 'Include', values: throttled }]
          operator: 'GreaterThan'
          threshold: storageRefusals
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

resource vaultThrottled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${metricAlertPrefix}${prefix}-vault-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Key Vault asks the app to slow down.'
    severity: 3
    enabled: true
    scopes: [vaultId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'busy'
          metricName: 'ServiceApiResult'
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          operator: 'GreaterThan'
          threshold: vaultRefusals
          timeAggregation: 'Count'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}
