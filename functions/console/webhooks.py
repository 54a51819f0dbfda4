"""The operator's pages of webhooks: register endpoints, look at their deliveries, and act on them.

The commands are those of the API; a secret is in the response to the POST that made it, and nowhere else.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.parameters import id_in_path
from functions.http.responses import html, redirect
from functions.http.session_auth import read_session_form, require_operator, require_operator_view
from shared.app import app, utc_now
from shared.errors import NotFound
from shared.pages import paths

if TYPE_CHECKING:
    from shared.authorization.sessions.sessions import Session
    from shared.pages.console.webhooks import EndpointForm, WebhookAction
    from shared.webhooks.endpoints import Registered
    from shared.webhooks.model import Endpoint

blueprint = func.Blueprint()


@blueprint.route(route="operator/webhooks", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_webhooks(request: func.HttpRequest) -> func.HttpResponse:
    """List the endpoints. POST registers one and shows its page, with its secret if the app made it."""
    from shared.pages.console.webhooks import endpoint_form, refusal_key
    from shared.webhooks.errors import TooManyWebhooks, WebhookRefused

    if request.method != "POST":
        return _list(require_operator_view(request))
    session = require_operator(request)
    form = endpoint_form(read_session_form(request, session))
    try:
        made = app().webhooks.create(
            form.url,
            session.owner_id,
            events=form.events,
            tenants=form.tenants,
            description=form.description,
            secret=form.secret,
        )
    except (WebhookRefused, TooManyWebhooks) as refused:
        return _list(session, form, refusal_key(refused))
    return _page(session, made.endpoint, challenged=made, secret="" if form.secret else made.secret)


@blueprint.route(route="operator/webhooks/{id}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_webhook(request: func.HttpRequest) -> func.HttpResponse:
    """Show one endpoint and its last deliveries. POST changes it."""
    from shared.pages.console.webhooks import TOLD_AFTERWARD, endpoint_form, refusal_key
    from shared.webhooks.errors import WebhookRefused

    endpoint_id = id_in_path(request)
    if request.method != "POST":
        session = require_operator_view(request)
        done = request.params.get("done", "")
        return _page(session, app().webhooks.get(endpoint_id), done=done if done in {*TOLD_AFTERWARD, "change"} else "")
    session = require_operator(request)
    form = endpoint_form(read_session_form(request, session))
    try:
        app().webhooks.change(endpoint_id, form.fields(), session.owner_id)
    except WebhookRefused as refused:
        return _page(session, app().webhooks.get(endpoint_id), form=form, refused=refusal_key(refused))
    return redirect(f"{paths.WEBHOOKS}/{endpoint_id}?done=change")


@blueprint.route(route="operator/webhooks/{id}/{action}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_webhook_action(request: func.HttpRequest) -> func.HttpResponse:
    """POST: run an action on the endpoint. GET: ask for its confirmation."""
    from shared.pages.console.webhooks import CONFIRMED_FIRST

    session = require_operator(request)
    endpoint, action = app().webhooks.get(id_in_path(request)), _action(request)
    if request.method == "POST":
        read_session_form(request, session)
        return _run(session, endpoint, action)
    if action not in CONFIRMED_FIRST:
        raise NotFound("no such page")
    csrf = app().sessions.csrf(session)
    return html("console/confirm_webhook", csrf=csrf, endpoint=endpoint, action=action.value)


def _run(session: "Session", endpoint: "Endpoint", action: "WebhookAction") -> func.HttpResponse:
    """Run an action. What can be shown only once is in this response: a secret, an answer to a challenge."""
    from shared.pages.console.webhooks import WebhookAction

    commands, actor = app().webhooks, session.owner_id
    if action is WebhookAction.VERIFY:
        verified = commands.verify(endpoint.id)
        return _page(session, verified.endpoint, challenged=verified)
    if action is WebhookAction.ROTATE:
        secret = commands.rotate(endpoint.id, actor).current
        return _page(session, commands.get(endpoint.id), secret=secret)
    if action is WebhookAction.DELETE:
        commands.delete(endpoint.id, actor)
        return redirect(paths.WEBHOOKS)
    actions: dict[WebhookAction, Callable[[], object]] = {
        WebhookAction.TEST: lambda: commands.test(endpoint.id, actor),
        WebhookAction.REDELIVER: lambda: commands.redeliver(endpoint.id, actor),
        WebhookAction.ENABLE: lambda: commands.change(endpoint.id, {"enabled": True}, actor),
        WebhookAction.DISABLE: lambda: commands.change(endpoint.id, {"enabled": False}, actor),
    }
    actions[action]()
    return redirect(f"{paths.WEBHOOKS}/{endpoint.id}?done={action.value}")


def _list(session: "Session", form: "EndpointForm | None" = None, refused: str = "") -> func.HttpResponse:
    from shared.pages.console.webhooks import webhooks_values

    values = webhooks_values(app().webhooks.all(), form, refused)
    return html("console/webhooks", csrf=app().sessions.csrf(session), is_operator=session.operator, **values)


def _page(
    session: "Session",
    endpoint: "Endpoint",
    *,
    done: str = "",
    form: "EndpointForm | None" = None,
    refused: str = "",
    challenged: "Registered | None" = None,
    secret: str = "",
) -> func.HttpResponse:
    from shared.pages.console.webhooks import DELIVERIES_SHOWN, webhook_values

    deliveries = app().webhooks.deliveries(endpoint.id, DELIVERIES_SHOWN)
    values = webhook_values(
        endpoint, deliveries, utc_now(), form=form, refused=refused, challenged=challenged, secret=secret
    )
    csrf = app().sessions.csrf(session)
    return html("console/webhook", csrf=csrf, is_operator=session.operator, done=done, **values)


def _action(request: func.HttpRequest) -> "WebhookAction":
    """The action in the path. Raises NotFound."""
    from shared.pages.console.webhooks import WebhookAction

    with suppress(ValueError):
        return WebhookAction(request.route_params.get("action", ""))
    raise NotFound("no such action")
