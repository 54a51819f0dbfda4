#Requires -Version 7
<#
.SYNOPSIS
Narrows app-only access to some mailboxes of the organization, with RBAC for Applications in Exchange Online: a service
principal, a management scope, and one role assignment for each permission. Run it again and it changes what differs.
.DESCRIPTION
Needs the module ExchangeOnlineManagement, connected (Connect-ExchangeOnline) as an Exchange administrator. After it,
remove the tenant-wide grants of the same permissions in the Entra admin center: grants add up. User.Read.All, which
translates ids, stays a grant there. A change can take two hours to take effect.
Source: learn.microsoft.com/exchange/permissions-exo/application-rbac
.EXAMPLE
./narrow_app_access.ps1 -AppId 00000000-0000-0000-0000-000000000000 -ObjectId 00000000-0000-0000-0000-000000000000 `
    -Filter "CustomAttribute1 -eq 'sync'" -Test person@example.com
#>
param(
    # Application id (client id) of the enterprise application.
    [Parameter(Mandatory)][guid]$AppId,
    # Object id of the enterprise application, not of the app registration.
    [Parameter(Mandatory)][guid]$ObjectId,
    # Which mailboxes the app may read, as a recipient filter of Exchange.
    [Parameter(Mandatory)][ValidateNotNullOrEmpty()][string]$Filter,
    [ValidateNotNullOrEmpty()][string]$Name = 'Mailbox Sync',
    # Leave one of the two protocols out.
    [switch]$NoEws,
    [switch]$NoGraph,
    # A mailbox for which Exchange says at the end what the app may do.
    [string]$Test = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$roles = @()
if (-not $NoEws) { $roles += 'Application EWS.AccessAsApp' }
if (-not $NoGraph) { $roles += 'Application Mail.Read', 'Application Calendars.Read', 'Application Contacts.Read' }
if ($roles.Count -eq 0) { throw 'narrow_app_access.ps1: no protocol is left' }

if (-not (Get-ServicePrincipal | Where-Object { $_.AppId -eq "$AppId" })) {
    New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $Name | Out-Null
}
if (Get-ManagementScope | Where-Object { $_.Name -eq $Name }) {
    Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $Filter
} else {
    New-ManagementScope -Name $Name -RecipientRestrictionFilter $Filter | Out-Null
}
foreach ($role in $roles) {
    $assignment = "$Name $($role -replace '^Application ', '')"
    if (Get-ManagementRoleAssignment | Where-Object { $_.Name -eq $assignment }) {
        Set-ManagementRoleAssignment -Identity $assignment -CustomResourceScope $Name
    } else {
        New-ManagementRoleAssignment -Name $assignment -App $ObjectId -Role $role -CustomResourceScope $Name | Out-Null
    }
}
if ($Test) { Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $Test }
