"""The operator's pages that activate mailboxes. They need a session with the role Operator."""

from collections.abc import Mapping, Sequence
from typing import Any

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.parameters import MAX_LIST_BYTES
from functions.http.responses import html, interstitial, redirect
from functions.http.session_auth import binding_cookie, read_session_form, require_operator
from shared.app import app
from shared.authorization.errors import ActivationRefused
from shared.pages import paths

blueprint = func.Blueprint()

SHORT_LIST = 20
"""The most names that are activated while the operator waits for the response."""


@blueprint.route(route="operator/activate", methods=ALL_METHODS)
@http_handler("GET", "POST", largest_body=MAX_LIST_BYTES)
def operator_activate(request: func.HttpRequest) -> func.HttpResponse:
    """Activate a list of mailboxes with a service account or app-only access; GET shows the form.

    A short list is activated at once and its results are shown; a long one becomes a job.
    """
    from shared.authorization.onboarding.activation import parse_names

    session = require_operator(request)
    values: dict[str, Any] = {"results": [], "refused": "", "names": "", "group": ""}
    values["done"] = request.params.get("done", "")
    chosen, tenant = request.params.get("authorization", ""), session.tenant_id
    if request.method == "POST":
        fields = read_session_form(request, session)
        chosen = fields.get("authorization", "")
        values["names"], tenant = fields.get("names", ""), fields.get("tenant", tenant)
        values["group"] = fields.get("group", "")
        try:
            names = parse_names(values["names"])
            if len(names) > SHORT_LIST:
                return _activate_by_job(fields, names, session.owner_id)
            values["results"] = app().activation.activate(fields, names, session.owner_id)
        except ActivationRefused as refusal:
            values["refused"] = refusal.parameter
    values["accounts"] = app().service_accounts.all()
    values["groups"] = [group.name for group in app().group_commands.all()]
    csrf = app().sessions.csrf(session)
    return html("activate", csrf=csrf, authorization=chosen, tenant=tenant, **values)


def _activate_by_job(fields: Mapping[str, str], names: Sequence[str], actor: str) -> func.HttpResponse:
    """Leave the list to a job and lead to its page. Raises ActivationRefused."""
    from shared.mailboxes.bulk.errors import JobRefused
    from shared.mailboxes.bulk.model import JobCommand

    app().activation.require_usable(fields)
    kind = "authorization" if fields.get("authorization") else "tenant"
    arguments = {name: fields[name] for name in (kind, "group") if fields.get(name)}
    try:
        job = app().jobs.create(JobCommand.ACTIVATE, actor, targets=names, arguments=arguments)
    except JobRefused as exc:
        raise ActivationRefused("a list has names of mailboxes", "addresses") from exc
    return redirect(f"{paths.JOBS}/{job.id}")


@blueprint.route(route="operator/service-account", methods=ALL_METHODS)
@http_handler("POST")
def operator_service_account(request: func.HttpRequest) -> func.HttpResponse:
    """Sign a service account in."""
    session = require_operator(request)
    read_session_form(request, session)
    start = app().sign_in.service(session)
    return interstitial(start.url, cookies=[binding_cookie(start)])


@blueprint.route(route="operator/service-account/revoke", methods=ALL_METHODS)
@http_handler("POST")
def operator_revoke(request: func.HttpRequest) -> func.HttpResponse:
    """Revoke a service account with which no mailbox is read any more."""
    session = require_operator(request)
    fields = read_session_form(request, session)
    app().service_accounts.revoke(fields.get("authorization", ""), session.owner_id)
    return redirect(f"{paths.ACTIVATE}?done=revoked")
