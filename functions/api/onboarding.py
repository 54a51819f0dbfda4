"""The API's ways to connect mailboxes: invitations, activations, and service accounts."""

from dataclasses import asdict

import azure.functions as func

from functions.api.caller import authenticated_caller, id_in_path
from functions.api.json_values import json_values
from functions.http.handler import ALL_METHODS, HttpError, http_handler, read_json_object
from functions.http.parameters import MAX_LIST_BYTES, malformed, one_of, refuse_unknown, string_fields
from functions.http.responses import json
from shared.app import app
from shared.authorization.errors import ActivationRefused, InvitationMalformed

blueprint = func.Blueprint()


@blueprint.route(route="api/invitations", methods=ALL_METHODS)
@http_handler("POST", api=True)
def api_invitations(request: func.HttpRequest) -> func.HttpResponse:
    """Create an invitation: {"address", "reference"?, "return_url"?} returns {"id", "url", "expires_at"}."""
    actor = authenticated_caller(request)
    body = string_fields(read_json_object(request), required={"address"}, optional={"reference", "return_url"})
    try:
        invited = app().invitations.create(**body)
    except InvitationMalformed as exc:
        raise (malformed(exc.parameter) if exc.parameter else HttpError(exc.code)) from exc
    app().registry.record_audit(invited.id, actor, "invite")
    return json(json_values(asdict(invited)), 201)


@blueprint.route(route="api/activations", methods=ALL_METHODS)
@http_handler("POST", api=True, largest_body=MAX_LIST_BYTES)
def api_activations(request: func.HttpRequest) -> func.HttpResponse:
    """Activate a list: {"addresses": [..]} or {"csv": ".."}, with {"authorization": id} or {"tenant": id}."""
    actor = authenticated_caller(request)
    body = read_json_object(request)
    refuse_unknown(body, {"addresses", "csv", "authorization", "tenant"})
    name, value = one_of(body, "authorization", "tenant")
    chosen = string_fields({name: value}, set(), {name})
    try:
        results = app().activation.activate(chosen, _names(*one_of(body, "addresses", "csv")), actor)
    except ActivationRefused as exc:
        raise malformed(exc.parameter) from exc
    return json({"results": [json_values(asdict(result)) for result in results]})


@blueprint.route(route="api/service-accounts", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_service_accounts(request: func.HttpRequest) -> func.HttpResponse:
    """List the service accounts that are signed in, with the number of mailboxes read with each."""
    authenticated_caller(request)
    return json({"service_accounts": [json_values(asdict(account)) for account in app().service_accounts.all()]})


@blueprint.route(route="api/service-accounts/{id}/give-up", methods=ALL_METHODS)
@http_handler("POST", api=True)
def api_revoke_service_account(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a service account's token; `held_until`: how long the vault's soft delete still holds it."""
    actor, account_id = authenticated_caller(request), id_in_path(request)
    held_until = app().service_accounts.revoke(account_id, actor)
    return json(json_values({"id": account_id, "held_until": held_until}))


def _names(name: str, value: object) -> list[str]:
    from shared.authorization.onboarding.activation import parse_names

    names = parse_names(value) if name == "csv" and isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise malformed(name)
    return names
