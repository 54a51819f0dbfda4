"""The API's webhooks: endpoints, their secrets, and their deliveries."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.api.caller import authenticated_caller, id_in_path
from functions.http.handler import ALL_METHODS, http_handler, read_json_object
from functions.http.parameters import malformed, refuse_unknown
from functions.http.responses import json, respond
from shared.app import app
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.webhooks.endpoints import Registered
    from shared.webhooks.model import Answer, Delivery, Endpoint

blueprint = func.Blueprint()

_CHANGEABLE = frozenset({"url", "events", "tenants", "description", "enabled"})
_GIVEN = frozenset({"url", "events", "tenants", "description", "secret"})
USUAL_LIMIT, LARGEST_LIMIT = 50, 200


@blueprint.route(route="api/v1/webhooks", methods=ALL_METHODS)
@http_handler("GET", "POST", api=True)
def api_webhooks(request: func.HttpRequest) -> func.HttpResponse:
    """List the endpoints; POST registers one: {"url", "events"?, "tenants"?, "description"?, "secret"?}.

    The answer to POST holds the signing secret, which is not shown again.
    """
    actor = authenticated_caller(request)
    if request.method != "POST":
        return json({"webhooks": [_endpoint_json(endpoint) for endpoint in app().webhooks.all()]})
    body = read_json_object(request)
    refuse_unknown(body, _GIVEN)
    if "url" not in body:
        raise malformed("url", "missing")
    if not isinstance(body.get("secret", ""), str):
        raise malformed("secret")
    created = _refusing(lambda: app().webhooks.create(actor=actor, **body))
    return json(_registered_json(created) | {"secret": created.secret}, 201)


@blueprint.route(route="api/v1/webhooks/{id}", methods=ALL_METHODS)
@http_handler("GET", "PATCH", "DELETE", api=True)
def api_webhook(request: func.HttpRequest) -> func.HttpResponse:
    """Return one endpoint; PATCH changes url, events, tenants, description or enabled; DELETE deletes it."""
    actor, endpoint_id = authenticated_caller(request), id_in_path(request)
    if request.method == "DELETE":
        app().webhooks.delete(endpoint_id, actor)
        return respond("", 204, "application/json")
    if request.method == "PATCH":
        body = read_json_object(request)
        refuse_unknown(body, _CHANGEABLE)
        return json(_endpoint_json(_refusing(lambda: app().webhooks.change(endpoint_id, body, actor))))
    return json(_endpoint_json(app().webhooks.get(endpoint_id)))


@blueprint.route(route="api/v1/webhooks/{id}/deliveries", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_webhook_deliveries(request: func.HttpRequest) -> func.HttpResponse:
    """Return the last deliveries, newest first; `limit`: how many."""
    authenticated_caller(request, "limit")
    limit = request.params.get("limit", str(USUAL_LIMIT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LARGEST_LIMIT):
        raise malformed("limit")
    found = app().webhooks.deliveries(id_in_path(request), int(limit))
    return json({"deliveries": [_delivery_json(delivery) for delivery in found]})


@blueprint.route(route="api/v1/webhooks/{id}/{act:regex(^(verify|test|rotate|redeliver)$)}", methods=ALL_METHODS)
@http_handler("POST", api=True)
def api_webhook_command(request: func.HttpRequest) -> func.HttpResponse:
    """Run verify, test, rotate (returns the new secret), or redeliver (queues failed deliveries again)."""
    actor = authenticated_caller(request)
    command = _COMMANDS.get(request.route_params.get("act", ""))
    if command is None:
        raise NotFound("no such action")
    return json(command(id_in_path(request), actor))


def _verify(endpoint_id: str, _: str) -> dict[str, Any]:
    return _registered_json(app().webhooks.verify(endpoint_id))


def _test(endpoint_id: str, actor: str) -> dict[str, Any]:
    return _delivery_json(app().webhooks.test(endpoint_id, actor))


def _rotate(endpoint_id: str, actor: str) -> dict[str, Any]:
    rotated = app().webhooks.rotate(endpoint_id, actor)
    return _times_as_text({"secret": rotated.current, "previous_valid_until": rotated.previous_until})


def _redeliver(endpoint_id: str, actor: str) -> dict[str, Any]:
    return {"queued": app().webhooks.redeliver(endpoint_id, actor)}


_COMMANDS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "verify": _verify,
    "test": _test,
    "rotate": _rotate,
    "redeliver": _redeliver,
}


def _refusing[T](command: Callable[[], T]) -> T:
    """Run a command; a refused field becomes the problem that names it."""
    from shared.webhooks.errors import WebhookRefused

    try:
        return command()
    except WebhookRefused as exc:
        raise malformed(exc.parameter, "url" if exc.parameter == "url" else "wrong") from exc


def _registered_json(registered: "Registered") -> dict[str, Any]:
    return _endpoint_json(registered.endpoint) | {"verification": _answer_json(registered.answer)}


def _answer_json(answer: "Answer") -> dict[str, Any]:
    return {"status": answer.status, "fault": answer.fault}


def _endpoint_json(endpoint: "Endpoint") -> dict[str, Any]:
    return _times_as_text(
        {
            "id": endpoint.id,
            "url": endpoint.url,
            "description": endpoint.description,
            "events": list(endpoint.events),
            "tenants": list(endpoint.tenants),
            "enabled": endpoint.enabled,
            "disabled_reason": endpoint.disabled_reason,
            "verified_at": endpoint.verified_at,
            "failing_since": endpoint.failing_since,
            "failed_deliveries": endpoint.failed_deliveries,
            "created_at": endpoint.created_at,
            "created_by": endpoint.created_by,
        }
    )


def _delivery_json(delivery: "Delivery") -> dict[str, Any]:
    return _times_as_text(
        {
            "id": delivery.id,
            "event_id": delivery.event_id,
            "event_type": delivery.event_type,
            "mailbox_id": delivery.mailbox_id,
            "created_at": delivery.created_at,
            "status": delivery.status,
            "attempts": delivery.attempts,
            "attempted_at": delivery.attempted_at,
            "next_attempt_at": delivery.next_attempt_at,
            "answer": delivery.answer,
            "fault": delivery.fault,
        }
    )


def _times_as_text(values: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO 8601 texts; everything else is JSON already."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
