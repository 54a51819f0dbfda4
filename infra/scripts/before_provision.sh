#!/bin/sh
# Registers the resource provider that private networking needs: the app's subnet is delegated to Microsoft.App, and a
# deployment registers only the providers of the resources it makes.
set -eu

if [ "${VNET_ENABLED:-false}" != true ]; then exit 0; fi
if command -v az >/dev/null &&
  az provider register --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" --wait; then
  exit 0
fi
cat <<TEXT
Private networking needs the resource provider Microsoft.App. It could not be registered here; unless it is already,
register it once, as somebody who may (Contributor of the subscription):

    az provider register --namespace Microsoft.App --subscription $AZURE_SUBSCRIPTION_ID --wait

TEXT
