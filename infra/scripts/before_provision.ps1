#Requires -Version 7
<#
.SYNOPSIS
Registers the resource provider that private networking needs, as before_provision.sh does.
#>
Set-StrictMode -Version Latest
if ($env:VNET_ENABLED -ne 'true') { exit 0 }
if (Get-Command az -ErrorAction SilentlyContinue) {
    az provider register --namespace Microsoft.App --subscription $env:AZURE_SUBSCRIPTION_ID --wait
    if ($LASTEXITCODE -eq 0) { exit 0 }
}
Write-Output @"
Private networking needs the resource provider Microsoft.App. It could not be registered here; unless it is already,
register it once, as somebody who may (Contributor of the subscription):

    az provider register --namespace Microsoft.App --subscription $env:AZURE_SUBSCRIPTION_ID --wait

"@
exit 0
