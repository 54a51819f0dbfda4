"""The operator's routes: the page of all mailboxes, and the API.

The pages need a session with the role Operator. The API needs a Bearer token with that role and accepts nothing that a
browser sends automatically, so that a page of another site cannot call it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.handler import ALL_METHODS, HttpError, http_handler, read_json_object
from functions.http.parameters import is_id, malformed, one_of, refuse_unknown, string_fields
from functions.http.rate_limits import RateLimit, client_address
from functions.http.responses import html, interstitial, json, redirect
from functions.http.session_auth import binding_cookie, read_session_form, require_session
from shared.app import app, utc_now
from shared.authorization.errors import ActivationRefused, InvitationMalformed, TokenInvalid
from shared.authorization.identity.operators import OperatorAuthenticator
from shared.authorization.sessions.sessions import Session
from shared.errors import NotFound, RetryLater
from shared.pages import paths

if TYPE_CHECKING:
    from shared.authorization.onboarding.activation import ActivationResult
    from shared.mailboxes.model import Mailbox

blueprint = func.Blueprint()

MAX_LISTED = 1000
MAX_LIST_BYTES = 256 * 1024
_bad_tokens = RateLimit(burst=30, per_minute=30, together=20, monotonic=time.monotonic)
_NAMES_OF_ITEMS = frozenset({"folder", "subject", "at"})
"""The fields of an issue that identify an item for its owner. The API does not show them to the operator."""
_HIDDEN_FIELDS = frozenset({"claims", "version", "shard", "authorization_id"})


# ---------------------------------------------------------------- pages


@blueprint.route(route="operator", methods=ALL_METHODS)
@http_handler("GET")
def operator_page(request: func.HttpRequest) -> func.HttpResponse:
    """Show how fresh every mailbox is, and the reason for each that needs attention."""
    from shared.pages.operator import operator_values

    session = _require_operator(request)
    values = operator_values(app().registry.all(), utc_now(), app().interval, request.params.get("show", ""))
    return html("operator", csrf=app().sessions.csrf(session), **values)


@blueprint.route(route="operator/activate", methods=ALL_METHODS)
@http_handler("GET", "POST", largest_body=MAX_LIST_BYTES)
def operator_activate(request: func.HttpRequest) -> func.HttpResponse:
    """Activate a list of mailboxes with a service account or app-only access; GET shows the form."""
    from shared.authorization.onboarding.activation import parse_names

    session = _require_operator(request)
    values: dict[str, Any] = {"results": [], "refused": False, "names": "", "done": request.params.get("done", "")}
    chosen = request.params.get("authorization", "")
    if request.method == "POST":
        fields = read_session_form(request, session)
        chosen = fields.get("authorization", "")
        values["names"] = fields.get("names", "")
        try:
            values["results"] = _activate(fields, parse_names(values["names"]), session.owner_id)
        except ActivationRefused:
            values["refused"] = True
    values["accounts"] = app().service_accounts.all()
    csrf = app().sessions.csrf(session)
    return html("activate", csrf=csrf, authorization=chosen, tenant=session.tenant_id, **values)


@blueprint.route(route="operator/service-account", methods=ALL_METHODS)
@http_handler("POST")
def operator_service_account(request: func.HttpRequest) -> func.HttpResponse:
    """Sign a service account in."""
    session = _require_operator(request)
    read_session_form(request, session)
    start = app().sign_in.service(session)
    return interstitial(start.url, cookies=[binding_cookie(start)])


@blueprint.route(route="operator/service-account/give-up", methods=ALL_METHODS)
@http_handler("POST")
def operator_revoke(request: func.HttpRequest) -> func.HttpResponse:
    """Revoke a service account with which no mailbox is read any more."""
    session = _require_operator(request)
    fields = read_session_form(request, session)
    app().service_accounts.revoke(fields.get("authorization", ""), session.owner_id)
    return redirect(f"{paths.ACTIVATE}?done=given_up")


# ---------------------------------------------------------------- API


@blueprint.route(route="api/invitations", methods=ALL_METHODS)
@http_handler("POST", api=True)
def api_invitations(request: func.HttpRequest) -> func.HttpResponse:
    """Create an invitation: {"address", "reference"?, "return_url"?} returns {"id", "url", "expires_at"}."""
    actor = _authenticated_caller(request)
    body = string_fields(read_json_object(request), required={"address"}, optional={"reference", "return_url"})
    try:
        invited = app().invitations.create(**body)
    except InvitationMalformed as exc:
        raise (malformed(exc.parameter) if exc.parameter else HttpError(exc.code)) from exc
    app().registry.record_audit(invited.id, actor, "invite")
    return json(_json_values(asdict(invited)), 201)


@blueprint.route(route="api/mailboxes", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_mailboxes(request: func.HttpRequest) -> func.HttpResponse:
    """List a thousand mailboxes at a time, ordered by shard and id; `after` is the last id received."""
    _authenticated_caller(request, "after")
    after = request.params.get("after", "")
    if after and not is_id(after):
        raise malformed("after")
    listed = page_after(app().registry.all(), after)
    more = listed[-1].id if len(listed) == MAX_LISTED else ""
    return json({"mailboxes": [_mailbox_json(mailbox) for mailbox in listed], "after": more})


@blueprint.route(route="api/mailboxes/{id}", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_mailbox(request: func.HttpRequest) -> func.HttpResponse:
    """Return one mailbox with its last passes and its open issues."""
    _authenticated_caller(request)
    mailbox = app().registry.get(_id_in_path(request))
    runs = [_json_values(asdict(run)) for run in app().registry.runs(mailbox.id)]
    issues = [_json_values(asdict(issue), without=_NAMES_OF_ITEMS) for issue in app().registry.issues(mailbox.id)]
    return json(_mailbox_json(mailbox) | {"runs": runs, "open_issues": issues})


@blueprint.route(route="api/mailboxes/{id}/{act}", methods=ALL_METHODS)
@http_handler("GET", "POST", api=True)
def api_mailbox_command(request: func.HttpRequest) -> func.HttpResponse:
    """Run pause, start, sync, disconnect, or erase; returns the mailbox afterward, or the receipt of its erasure.

    GET parity returns the report of the mailbox's last move, or survey, between sources.
    """
    actor = _authenticated_caller(request)
    action = request.route_params.get("act", "")
    if request.method != "POST":
        return json(_parity(_id_in_path(request), action))
    command = _COMMANDS.get(action)
    if command is None:
        raise NotFound("no such action")
    return json(command(_id_in_path(request), actor))


@blueprint.route(route="api/moves", methods=ALL_METHODS)
@http_handler("POST", api=True, largest_body=MAX_LIST_BYTES)
def api_moves(request: func.HttpRequest) -> func.HttpResponse:
    """Have mailboxes moved: {"to": "graph" | "ews" | "", "mailboxes": [ids] | "tenant": id | "all": true}.

    With "dry_run" they are surveyed only; "force" overrules the safety stop; an empty "to" takes back what was asked.
    """
    actor = _authenticated_caller(request)
    body = read_json_object(request)
    if not body.keys() <= {"to", "mailboxes", "tenant", "all", "dry_run", "force"}:
        raise HttpError("malformed")
    chosen = _chosen_mailboxes(body)
    moved = _ask_to_move(body, chosen, actor)
    return json({"mailboxes": [_mailbox_json(mailbox) for mailbox in moved]}, 202)


@blueprint.route(route="api/activations", methods=ALL_METHODS)
@http_handler("POST", api=True, largest_body=MAX_LIST_BYTES)
def api_activations(request: func.HttpRequest) -> func.HttpResponse:
    """Activate a list: {"addresses": [..]} or {"csv": ".."}, with {"authorization": id} or {"tenant": id}."""
    actor = _authenticated_caller(request)
    body = read_json_object(request)
    refuse_unknown(body, {"addresses", "csv", "authorization", "tenant"})
    name, value = one_of(body, "authorization", "tenant")
    chosen = string_fields({name: value}, set(), {name})
    try:
        results = _activate(chosen, _names(*one_of(body, "addresses", "csv")), actor)
    except ActivationRefused as exc:
        raise malformed(exc.parameter) from exc
    return json({"results": [_json_values(asdict(result)) for result in results]})


@blueprint.route(route="api/service-accounts", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_service_accounts(request: func.HttpRequest) -> func.HttpResponse:
    """List the service accounts that are signed in, with the number of mailboxes read with each."""
    _authenticated_caller(request)
    return json({"service_accounts": [_json_values(asdict(account)) for account in app().service_accounts.all()]})


@blueprint.route(route="api/service-accounts/{id}/give-up", methods=ALL_METHODS)
@http_handler("POST", api=True)
def api_revoke_service_account(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a service account's token; `held_until`: how long the vault's soft delete still holds it."""
    actor, account_id = _authenticated_caller(request), _id_in_path(request)
    held_until = app().service_accounts.revoke(account_id, actor)
    return json(_json_values({"id": account_id, "held_until": held_until}))


def _names(name: str, value: object) -> list[str]:
    from shared.authorization.onboarding.activation import parse_names

    names = parse_names(value) if name == "csv" and isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise malformed(name)
    return names


def _activate(chosen: Mapping[str, str], names: list[str], actor: str) -> "list[ActivationResult]":
    if chosen.get("authorization"):
        return app().activation.with_service_account(chosen["authorization"], names, actor)
    return app().activation.app_only(chosen.get("tenant", ""), names, actor)


def _chosen_mailboxes(body: Mapping[str, Any]) -> list[str]:
    """The mailboxes that a move is asked for, in exactly one way. Raises HttpError: malformed."""
    match {name: body[name] for name in ("mailboxes", "tenant", "all") if name in body}:
        case {"mailboxes": list(ids), **others} if not others and all(isinstance(each, str) for each in ids):
            return ids
        case {"tenant": str(tenant), **others} if tenant and not others:
            return app().move_commands.chosen(tenant)
        case {"all": True, **others} if not others:
            return app().move_commands.chosen()
    raise HttpError("malformed")


def _ask_to_move(body: Mapping[str, Any], chosen: list[str], actor: str) -> "list[Mailbox]":
    """Raises HttpError: malformed, for a source that there is not, or not here."""
    from shared.mailboxes.move_commands import SourceNotUsable
    from shared.sources.port import SourceName

    if not body.get("to"):
        return app().move_commands.cancel(chosen, actor)
    dry_run, force = body.get("dry_run") is True, body.get("force") is True
    try:
        return app().move_commands.ask(chosen, SourceName(body["to"]), actor, dry_run=dry_run, force=force)
    except (ValueError, SourceNotUsable) as exc:
        raise HttpError("malformed") from exc


def _parity(mailbox_id: str, what: str) -> dict[str, Any]:
    """The report of a mailbox's last move. Raises NotFound when there is none."""
    from shared.sync.moving import parity

    if what != "parity":
        raise HttpError("method_not_allowed", headers={"Allow": "POST"})
    app().registry.get(mailbox_id)
    return parity.decode(app().replica.derived(mailbox_id, parity.DOCUMENT))


def _sync(mailbox_id: str, actor: str) -> dict[str, Any]:
    app().mailbox_commands.sync_now(mailbox_id, actor)
    return _mailbox_json(app().registry.get(mailbox_id))


def _erase(mailbox_id: str, actor: str) -> dict[str, Any]:
    return _json_values(asdict(app().mailbox_commands.erase(mailbox_id, actor)))


_COMMANDS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "pause": lambda mailbox_id, actor: _mailbox_json(app().mailbox_commands.pause(mailbox_id, actor)),
    "start": lambda mailbox_id, actor: _mailbox_json(app().mailbox_commands.start(mailbox_id, actor)),
    "disconnect": lambda mailbox_id, actor: _mailbox_json(app().mailbox_commands.disconnect(mailbox_id, actor)),
    "sync": _sync,
    "erase": _erase,
}


def _require_operator(request: func.HttpRequest) -> Session:
    """Return the operator's session. The role is checked at Entra ID again after a while: it may have been removed.

    Raises:
        HttpError: session_expired, not_operator. A GET is redirected to a sign-in instead of the problem page.
    """
    session = require_session(request)
    if not session.operator:
        raise HttpError("not_operator", refusal="no_role")
    if not app().sessions.has_role_now(session):
        activating = urlsplit(request.url).path.startswith(paths.ACTIVATE)
        target = paths.SIGN_IN_TO_ACTIVATE if activating else paths.SIGN_IN_FOR_OPERATOR
        is_view = request.method in ("GET", "HEAD")
        raise HttpError(
            "session_expired", 303 if is_view else None, {"Location": target} if is_view else None, target=target
        )
    return session


def _authenticated_caller(request: func.HttpRequest, *parameters: str) -> str:
    """Return the opaque id of the API's caller; `parameters` are the allowed query parameters.

    A caller who was refused too often has to wait before another token is validated, because a token with an invented
    key id can cause a request to Entra ID.

    Raises:
        HttpError: unauthenticated, too_many_requests, malformed.
    """
    actor = _bearer(request)
    refuse_unknown(request.params, parameters)
    return actor


def _bearer(request: func.HttpRequest) -> str:
    caller = client_address(request.headers.get("X-Forwarded-For", ""))
    if seconds := _bad_tokens.blocked(caller):
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)}, refusal="bearer_limit")
    try:
        return _operators().authenticate(request.headers.get("Authorization", ""))
    except (TokenInvalid, RetryLater) as exc:
        _bad_tokens.wait(caller)
        if isinstance(exc, RetryLater):
            raise
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HttpError("unauthenticated", headers=headers, refusal="bearer", detail=str(exc)) from exc


def _operators() -> OperatorAuthenticator:
    """Return the authenticator of the API's callers; their tenant is the same as for the pages."""
    return OperatorAuthenticator(app().token_validator, app().sessions.operator_tenant)


def _id_in_path(request: func.HttpRequest) -> str:
    """Return the id in the path. Raises NotFound for a text that cannot be an id."""
    given: str = request.route_params.get("id", "")
    if not is_id(given):
        raise NotFound("nothing has such an id")
    return given


def page_after(mailboxes: "Iterable[Mailbox]", after: str) -> "list[Mailbox]":
    """Return the mailboxes that follow the id `after` in the registry's order; that mailbox may have been erased."""
    from shared.mailboxes.entities import partition

    def sort_key(mailbox_id: str) -> tuple[str, str]:
        return partition(mailbox_id), mailbox_id

    return list(islice((one for one in mailboxes if not after or sort_key(one.id) > sort_key(after)), MAX_LISTED))


def _mailbox_json(mailbox: "Mailbox") -> dict[str, Any]:
    return _json_values({name: value for name, value in asdict(mailbox).items() if name not in _HIDDEN_FIELDS})


def _json_values(values: Mapping[str, Any], without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Convert values to JSON types: times become ISO 8601 texts, enumerations their values."""
    return {name: _json_value(value) for name, value in values.items() if name not in without}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
