#Requires -Version 7
<#
.SYNOPSIS
Registers the app with Entra ID, as register_app.sh does: redirect URIs, permissions, the exposed API with its roles,
and the managed identity as its credential. No secret is made. Run it again and it changes what differs.
.DESCRIPTION
Needs the Azure CLI, signed in (az login) as somebody who may register applications.
.EXAMPLE
./register_app.ps1 -Url https://sync.example -Identity 00000000-0000-0000-0000-000000000000
#>
param(
    [Parameter(Mandatory)][ValidatePattern('^https://.+')][string]$Url,
    [Parameter(Mandatory)][guid]$Identity,
    [string]$Name = 'Mailbox Sync',
    [switch]$MultiTenant,
    [switch]$AppOnly,
    [switch]$NoGraph,
    [string]$Audience = 'api://AzureADTokenExchange'
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$Url = $Url.TrimEnd('/')
$signInAudience = if ($MultiTenant) { 'AzureADMultipleOrgs' } else { 'AzureADMyOrg' }

# Ids of Microsoft's own applications and permissions: the same in every tenant.
$exchange = '00000002-0000-0ff1-ce00-000000000000'
$microsoftGraph = '00000003-0000-0000-c000-000000000000'
$ews = @(@{ id = '3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5'; type = 'Scope' })
if ($AppOnly) { $ews += @{ id = 'dc890d15-9560-4a4c-9b7f-a736ec74ec40'; type = 'Role' } }
# openid, profile, offline_access, Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read, User.Read
$graph = @(
    '37f7f235-527c-4136-accd-4a02d197296e', '14dad69e-099b-42c9-810b-d002981feec1',
    '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', '570282fd-fa5c-430d-a7fd-fc8dc98a9dca',
    '465a38f9-76ea-45b9-9f34-9e8b0d4b0b42', 'ff74d97f-43af-4b68-9f2a-b77ee6968c5d',
    'f45671fb-e0fe-4b4b-be20-3d3ce43f1bcb', 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'
) | ForEach-Object { @{ id = $_; type = 'Scope' } }
if ($AppOnly) {
    # Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read.All, User.Read.All
    $graph += @(
        '810c84a8-4a9e-49e6-bf7d-12d183f40d01', '798ee544-9d2d-430c-a058-570e29e34338',
        '089fe4d0-434a-44c5-8827-41ba8a0b17f5', 'f10e1f91-74ed-437f-a6fd-d6ae88e26c1f',
        'df021288-bdef-4463-88db-98f22de89214'
    ) | ForEach-Object { @{ id = $_; type = 'Role' } }
}
$azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
# Ids of our own. A role's id has to stay the same, or everybody who has the role loses it.
$operatorRole = '5d3e8a1c-7d0f-4a52-9c5b-0f7a6f1d2c9e'
$operatorReadRole = '4c4d0768-5e38-4325-9b79-7039217514e1'
$replicaReadRole = '1c0552ed-591c-4c66-a91f-f7da1028dbf9'
$apiScope = 'd6e14b46-294f-45d1-b6ba-7d0ac2544bd8'

$access = @(@{ resourceAppId = $exchange; resourceAccess = $ews })
if (-not $NoGraph) { $access += @{ resourceAppId = $microsoftGraph; resourceAccess = $graph } }
$members = @('User', 'Application')
$roles = @(
    @{
        id = $operatorRole; value = 'Operator'; displayName = 'Operator'; isEnabled = $true; allowedMemberTypes = $members
        description = "Sees every mailbox's freshness, reads the copies, invites people, activates, pauses, disconnects and erases mailboxes."
    }
    @{
        id = $operatorReadRole; value = 'Operator.Read'; displayName = 'Operator (read only)'; isEnabled = $true
        description = "Sees every mailbox's freshness and history, and changes nothing."; allowedMemberTypes = $members
    }
    @{
        id = $replicaReadRole; value = 'Replica.Read'; displayName = 'Replica reader'; isEnabled = $true
        description = 'Reads the copies of all mailboxes, or of those that an operator lists, through the API.'; allowedMemberTypes = $members
    }
)
$scopes = @(@{
        id = $apiScope; value = 'user_impersonation'; type = 'User'; isEnabled = $true
        adminConsentDisplayName = 'Call the API of Mailbox Sync'
        adminConsentDescription = 'Calls the API as the signed-in user, with the roles that the user has there.'
        userConsentDisplayName = 'Call the API of Mailbox Sync'
        userConsentDescription = 'Calls the API as you, with the roles that you have there.'
    })
# When a person last proved who they are, which an erasure asks for; and whether a program signed in for itself.
$claims = @{
    idToken = @(@{ name = 'auth_time'; essential = $false }); accessToken = @(@{ name = 'idtyp'; essential = $false })
}
$api = @{ requestedAccessTokenVersion = 2; oauth2PermissionScopes = $scopes }
# A client can be pre-authorized for a scope only once the scope is there.
$apiWithClients = $api + @{ preAuthorizedApplications = @(@{ appId = $azureCli; delegatedPermissionIds = @($apiScope) }) }

$work = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) ([guid]::NewGuid()))
try {
    ConvertTo-Json -InputObject $access -Depth 5 | Set-Content "$work/access.json"
    ConvertTo-Json -InputObject $roles -Depth 5 | Set-Content "$work/roles.json"
    ConvertTo-Json -InputObject @{ api = $api; optionalClaims = $claims } -Depth 6 | Set-Content "$work/scopes.json"
    ConvertTo-Json -InputObject @{ api = $apiWithClients } -Depth 6 | Set-Content "$work/clients.json"

    $quoted = $Name.Replace("'", "''")
    $clientId = az ad app list --filter "displayName eq '$quoted'" --query '[0].appId' --output tsv
    if (-not $clientId) {
        $clientId = az ad app create --display-name $Name --sign-in-audience $signInAudience --query appId --output tsv
        Write-Output "Registered $Name."
    }

    az ad app update --id $clientId `
        --sign-in-audience $signInAudience `
        --web-home-page-url "$Url/" `
        --web-redirect-uris "$Url/sign-in/callback" "$Url/approval/callback" `
        --enable-id-token-issuance false `
        --enable-access-token-issuance false `
        --required-resource-accesses "@$work/access.json" `
        --app-roles "@$work/roles.json" `
        --identifier-uris "api://$clientId" `
        --set api.requestedAccessTokenVersion=2 `
        --output none

    $graphUrl = (az cloud show --query endpoints.microsoftGraphResourceId --output tsv).TrimEnd('/')
    foreach ($body in 'scopes', 'clients') {
        az rest --method PATCH --uri "$graphUrl/v1.0/applications(appId='$clientId')" `
            --headers Content-Type=application/json --body "@$work/$body.json" --output none
    }

    $tenant = az account show --query tenantId --output tsv
    $authority = (az cloud show --query endpoints.activeDirectory --output tsv).TrimEnd('/')
    ConvertTo-Json -InputObject @{
        name = 'managed-identity'; issuer = "$authority/$tenant/v2.0"; subject = "$Identity"
        audiences = @($Audience); description = 'The app proves itself by its managed identity.'
    } | Set-Content "$work/federation.json"
    $federated = az ad app federated-credential list --id $clientId --query "[?name=='managed-identity'].id" --output tsv
    if ($federated) {
        az ad app federated-credential update --id $clientId --federated-credential-id $federated `
            --parameters "@$work/federation.json" --output none
    }
    else {
        az ad app federated-credential create --id $clientId --parameters "@$work/federation.json" --output none
    }

    if (-not (az ad sp list --filter "appId eq '$clientId'" --query '[0].id' --output tsv)) {
        az ad sp create --id $clientId --output none
    }
}
finally {
    Remove-Item -Recurse -Force $work
}

Write-Output "ENTRA_CLIENT_ID=$clientId"
Write-Output ''
Write-Output 'Next:'
Write-Output "  - assign the role Operator (or Operator.Read, Replica.Read): Entra admin center, Enterprise applications, $Name, Users and groups"
Write-Output "  - let an administrator approve for everybody, if people may not consent themselves: $Url/approval"
if ($AppOnly) {
    Write-Output '  - approve the application permissions, and narrow them at once: docs/authorization.md, Many mailboxes by the app itself'
}
