#!/usr/bin/env bash
# Registers the app with Entra ID: redirect URIs, permissions, the exposed API with its roles, and the managed identity
# as its credential. No secret is made. Run it again and it changes what differs.
# Needs the Azure CLI, signed in (az login) as somebody who may register applications.
set -euo pipefail

usage() {
  cat <<'TEXT'
register_app.sh --url https://<app> --identity <object id> [options]

  --url           the app's public address (the setting APP_URL)
  --identity      object id of the app's managed identity, which becomes its credential
  --name          name of the registration (default: Mailbox Sync)
  --multi-tenant  for accounts of any organization, not of this one alone
  --app-only      ask for app-only access as well (full_access_as_app, and the like of Graph): an administrator must
                  approve it, and should narrow it
  --no-graph      leave the permissions for Microsoft Graph out
  --audience      audience of the federated credential (default: api://AzureADTokenExchange; Azure Government:
                  api://AzureADTokenExchangeUSGov, China: api://AzureADTokenExchangeChina)

Prints ENTRA_CLIENT_ID at the end.
TEXT
}

name="Mailbox Sync" url="" identity="" audience="AzureADMyOrg" app_only=false graph=true
federation_audience="api://AzureADTokenExchange"
while [ $# -gt 0 ]; do
  case "$1" in
    --url) url="${2%/}"; shift 2 ;;
    --identity) identity="$2"; shift 2 ;;
    --name) name="$2"; shift 2 ;;
    --multi-tenant) audience="AzureADMultipleOrgs"; shift ;;
    --app-only) app_only=true; shift ;;
    --audience) federation_audience="$2"; shift 2 ;;
    --no-graph) graph=false; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "register_app.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
done
case "$url" in https://?*) ;; *) echo "register_app.sh: --url must be an https address" >&2; exit 2 ;; esac
if [ -z "$identity" ]; then echo "register_app.sh: --identity is missing" >&2; exit 2; fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Ids of Microsoft's own applications and permissions: the same in every tenant.
exchange="00000002-0000-0ff1-ce00-000000000000"
microsoft_graph="00000003-0000-0000-c000-000000000000"
ews_delegated='{"id":"3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5","type":"Scope"}'
ews_app_only='{"id":"dc890d15-9560-4a4c-9b7f-a736ec74ec40","type":"Role"}'
# openid, profile, offline_access, Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read, User.Read
graph_delegated='{"id":"37f7f235-527c-4136-accd-4a02d197296e","type":"Scope"},
  {"id":"14dad69e-099b-42c9-810b-d002981feec1","type":"Scope"},{"id":"7427e0e9-2fba-42fe-b0c0-848c9e6a8182","type":"Scope"},
  {"id":"570282fd-fa5c-430d-a7fd-fc8dc98a9dca","type":"Scope"},{"id":"465a38f9-76ea-45b9-9f34-9e8b0d4b0b42","type":"Scope"},
  {"id":"ff74d97f-43af-4b68-9f2a-b77ee6968c5d","type":"Scope"},{"id":"f45671fb-e0fe-4b4b-be20-3d3ce43f1bcb","type":"Scope"},
  {"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Scope"}'
# Mail.Read, Calendars.Read, Contacts.Read, Tasks.Read.All, User.Read.All
graph_app_only='{"id":"810c84a8-4a9e-49e6-bf7d-12d183f40d01","type":"Role"},
  {"id":"798ee544-9d2d-430c-a058-570e29e34338","type":"Role"},{"id":"089fe4d0-434a-44c5-8827-41ba8a0b17f5","type":"Role"},
  {"id":"f10e1f91-74ed-437f-a6fd-d6ae88e26c1f","type":"Role"},{"id":"df021288-bdef-4463-88db-98f22de89214","type":"Role"}'
azure_cli="04b07795-8ddb-461a-bbee-02f9e1bf7b46"
# Ids of our own. A role's id has to stay the same, or everybody who has the role loses it.
operator_role="5d3e8a1c-7d0f-4a52-9c5b-0f7a6f1d2c9e"
operator_read_role="4c4d0768-5e38-4325-9b79-7039217514e1"
replica_read_role="1c0552ed-591c-4c66-a91f-f7da1028dbf9"
api_scope="d6e14b46-294f-45d1-b6ba-7d0ac2544bd8"

ews="$ews_delegated"
graph_access="$graph_delegated"
if $app_only; then
  ews="$ews,$ews_app_only"
  graph_access="$graph_access,$graph_app_only"
fi
access="{\"resourceAppId\":\"$exchange\",\"resourceAccess\":[$ews]}"
if $graph; then access="$access,{\"resourceAppId\":\"$microsoft_graph\",\"resourceAccess\":[$graph_access]}"; fi
printf '[%s]\n' "$access" >"$work/access.json"

cat >"$work/roles.json" <<JSON
[{"id":"$operator_role","value":"Operator","displayName":"Operator","isEnabled":true,
  "description":"Sees every mailbox's freshness, reads the copies, invites people, activates, pauses, disconnects and erases mailboxes.",
  "allowedMemberTypes":["User","Application"]},
 {"id":"$operator_read_role","value":"Operator.Read","displayName":"Operator (read only)","isEnabled":true,
  "description":"Sees every mailbox's freshness and history, and changes nothing.",
  "allowedMemberTypes":["User","Application"]},
 {"id":"$replica_read_role","value":"Replica.Read","displayName":"Replica reader","isEnabled":true,
  "description":"Reads the copies of all mailboxes, or of those that an operator lists, through the API.",
  "allowedMemberTypes":["User","Application"]}]
JSON

scopes="[{\"id\":\"$api_scope\",\"value\":\"user_impersonation\",\"type\":\"User\",\"isEnabled\":true,
  \"adminConsentDisplayName\":\"Call the API of Mailbox Sync\",
  \"adminConsentDescription\":\"Calls the API as the signed-in user, with the roles that the user has there.\",
  \"userConsentDisplayName\":\"Call the API of Mailbox Sync\",
  \"userConsentDescription\":\"Calls the API as you, with the roles that you have there.\"}]"
# When a person last proved who they are, which an erasure asks for; and whether a program signed in for itself.
claims='{"idToken":[{"name":"auth_time","essential":false}],"accessToken":[{"name":"idtyp","essential":false}]}'
printf '{"api":{"requestedAccessTokenVersion":2,"oauth2PermissionScopes":%s},"optionalClaims":%s}\n' "$scopes" "$claims" \
  >"$work/scopes.json"
# A client can be pre-authorized for a scope only once the scope is there.
printf '{"api":{"requestedAccessTokenVersion":2,"oauth2PermissionScopes":%s,"preAuthorizedApplications":[%s]}}\n' "$scopes" \
  "{\"appId\":\"$azure_cli\",\"delegatedPermissionIds\":[\"$api_scope\"]}" >"$work/clients.json"

# A quote in the name is doubled. By a variable: the bash of macOS (3.2) would keep the backslashes of an escaped one.
quote="'"
client_id="$(az ad app list --filter "displayName eq '${name//$quote/$quote$quote}'" --query '[0].appId' --output tsv)"
if [ -z "$client_id" ]; then
  client_id="$(az ad app create --display-name "$name" --sign-in-audience "$audience" --query appId --output tsv)"
  echo "Registered $name."
fi

az ad app update --id "$client_id" \
  --sign-in-audience "$audience" \
  --web-home-page-url "$url/" \
  --web-redirect-uris "$url/sign-in/callback" "$url/approval/callback" \
  --enable-id-token-issuance false \
  --enable-access-token-issuance false \
  --required-resource-accesses "@$work/access.json" \
  --app-roles "@$work/roles.json" \
  --identifier-uris "api://$client_id" \
  --set api.requestedAccessTokenVersion=2 \
  --output none

graph_url="$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)"
for body in scopes clients; do
  az rest --method PATCH --uri "${graph_url%/}/v1.0/applications(appId='$client_id')" \
    --headers Content-Type=application/json --body "@$work/$body.json" --output none
done

tenant="$(az account show --query tenantId --output tsv)"
authority="$(az cloud show --query endpoints.activeDirectory --output tsv)"
cat >"$work/federation.json" <<JSON
{"name":"managed-identity","issuer":"${authority%/}/$tenant/v2.0","subject":"$identity",
 "audiences":["$federation_audience"],"description":"The app proves itself by its managed identity."}
JSON
federated="$(az ad app federated-credential list --id "$client_id" --query "[?name=='managed-identity'].id" --output tsv)"
if [ -z "$federated" ]; then
  az ad app federated-credential create --id "$client_id" --parameters "@$work/federation.json" --output none
else
  az ad app federated-credential update --id "$client_id" --federated-credential-id "$federated" \
    --parameters "@$work/federation.json" --output none
fi

if [ -z "$(az ad sp list --filter "appId eq '$client_id'" --query '[0].id' --output tsv)" ]; then
  az ad sp create --id "$client_id" --output none
fi

cat <<TEXT
ENTRA_CLIENT_ID=$client_id

Next:
  - assign the role Operator (or Operator.Read, Replica.Read): Entra admin center, Enterprise applications, $name, Users and groups
  - let an administrator approve for everybody, if people may not consent themselves: $url/approval
TEXT
if $app_only; then
  echo "  - approve the application permissions, and narrow them at once: docs/authorization.md, Many mailboxes by the app itself"
fi
