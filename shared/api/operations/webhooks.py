"""Webhooks: endpoints, their secrets, and their deliveries."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import AlreadyExists, Malformed, Refused
from shared.api.expectations import expected_of
from shared.api.resources import webhooks as resources
from shared.webhooks.endpoints import MAX_DESCRIPTION, MAX_SHOWN, MAX_TENANTS
from shared.webhooks.errors import TooManyWebhooks, WebhookExists, WebhookRefused


@operation("GET", "/webhooks", tag="webhooks", roles=STATE_READERS, answer=resources.WebhookList)
def list_webhooks(components: ApiComponents, call: Call[NoQuery, None]) -> resources.WebhookList:
    """List the registered endpoints."""
    return resources.WebhookList([resources.webhook(endpoint) for endpoint in components.webhooks.all()])


@operation(
    "POST",
    "/webhooks",
    tag="webhooks",
    roles=OPERATORS,
    body=resources.NewWebhook,
    answer=resources.RegisteredWebhook,
    status=201,
    holds_secret=True,
)
def register_webhook(
    components: ApiComponents, call: Call[NoQuery, resources.NewWebhook]
) -> resources.RegisteredWebhook:
    """Register an endpoint and send it the challenge. The answer holds the signing secret, which is not shown again.

    409, `webhook_exists`: another endpoint has this URL; `existing` is its id.
    """
    body = call.body
    try:
        made = components.webhooks.create(
            body.url,
            call.caller.object_id,
            events=body.events,
            tenants=body.tenants,
            description=body.description,
            secret=body.secret,
        )
    except WebhookRefused as exc:
        raise _refused(exc) from exc
    return resources.RegisteredWebhook(
        resources.webhook(made.endpoint), resources.verification(made.answer), made.secret
    )


@operation("GET", "/webhooks/{webhook}", tag="webhooks", roles=STATE_READERS, answer=resources.Webhook)
def get_webhook(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Webhook:
    """Return one endpoint."""
    return resources.webhook(components.webhooks.get(call.path["webhook"]))


@operation(
    "PATCH",
    "/webhooks/{webhook}",
    tag="webhooks",
    roles=OPERATORS,
    body=resources.WebhookChange,
    answer=resources.Webhook,
)
def change_webhook(components: ApiComponents, call: Call[NoQuery, resources.WebhookChange]) -> resources.Webhook:
    """Change an endpoint. Another URL is sent a challenge."""
    named = {name: getattr(call.body, name) for name in resources.WebhookChange.__struct_fields__}
    changes: dict[str, object] = {name: value for name, value in named.items() if value is not UNSET}
    try:
        changed = components.webhooks.change(call.path["webhook"], changes, call.caller.object_id)
    except WebhookRefused as exc:
        raise _refused(exc) from exc
    return resources.webhook(changed)


@operation("DELETE", "/webhooks/{webhook}", tag="webhooks", roles=OPERATORS, status=204)
def delete_webhook(components: ApiComponents, call: Call[NoQuery, None]) -> None:
    """Delete an endpoint with its secret and its deliveries."""
    components.webhooks.delete(call.path["webhook"], call.caller.object_id)


@operation("POST", "/webhooks/{webhook}/verify", tag="webhooks", roles=OPERATORS, answer=resources.VerifiedWebhook)
def verify_webhook(components: ApiComponents, call: Call[NoQuery, None]) -> resources.VerifiedWebhook:
    """Send an endpoint the challenge again."""
    verified = components.webhooks.verify(call.path["webhook"])
    return resources.VerifiedWebhook(resources.webhook(verified.endpoint), resources.verification(verified.answer))


@operation("POST", "/webhooks/{webhook}/test", tag="webhooks", roles=OPERATORS, answer=resources.WebhookDelivery)
def test_webhook(components: ApiComponents, call: Call[NoQuery, None]) -> resources.WebhookDelivery:
    """Send an endpoint a test event now, once."""
    return resources.delivery(components.webhooks.test(call.path["webhook"], call.caller.object_id))


@operation(
    "POST",
    "/webhooks/{webhook}/rotate",
    tag="webhooks",
    roles=OPERATORS,
    answer=resources.RotatedSecret,
    holds_secret=True,
)
def rotate_webhook_secret(components: ApiComponents, call: Call[NoQuery, None]) -> resources.RotatedSecret:
    """Make a new signing secret. For a day deliveries are signed with both."""
    rotated = components.webhooks.rotate(call.path["webhook"], call.caller.object_id)
    return resources.RotatedSecret(rotated.current, rotated.previous_until)


@operation("POST", "/webhooks/{webhook}/redeliver", tag="webhooks", roles=OPERATORS, answer=resources.Redelivery)
def redeliver_webhook(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Redelivery:
    """Queue the deliveries again that were given up; none while the endpoint is not verified or is disabled."""
    return resources.Redelivery(components.webhooks.redeliver(call.path["webhook"], call.caller.object_id))


_URL_EXPECTED = {
    "not_https": "an https:// URL",
    "port": "a URL with port 443 or one from 1024 on",
    "address": "the URL of a host with a public address",
    "malformed": "a URL of printable ASCII characters, without a user name, a password, and a fragment",
}
"""What a URL must be, by why it was refused."""
_FIELD_EXPECTED = {
    "secret": "`whsec_` and 24 to 64 bytes in base64",
    "tenants": f"a list of at most {MAX_TENANTS} tenant ids",
    "description": f"a line of at most {MAX_DESCRIPTION} printable characters",
}
"""What other fields must be, where their types do not say it."""


def _refused(error: WebhookRefused) -> Refused:
    """The refusal with what an endpoint may have in this field."""
    if isinstance(error, TooManyWebhooks):
        return Refused("too_many_webhooks")
    if isinstance(error, WebhookExists):
        return AlreadyExists("webhook_exists", "url", error.endpoint_id)
    name = error.parameter
    if name == "url":
        return Malformed("url", "url", _URL_EXPECTED.get(error.fault, ""))
    return Malformed(name, expected=_FIELD_EXPECTED.get(name) or expected_of(resources.NewWebhook, name))


class DeliveryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the last deliveries to list."""

    limit: Annotated[int, Meta(ge=1, le=MAX_SHOWN)] = 50
    """The most deliveries to list."""


@operation(
    "GET",
    "/webhooks/{webhook}/deliveries",
    tag="webhooks",
    roles=STATE_READERS,
    query=DeliveryQuery,
    answer=resources.WebhookDeliveryList,
)
def list_webhook_deliveries(
    components: ApiComponents, call: Call[DeliveryQuery, None]
) -> resources.WebhookDeliveryList:
    """List the last deliveries of an endpoint, newest first."""
    found = components.webhooks.deliveries(call.path["webhook"], call.query.limit)
    return resources.WebhookDeliveryList([resources.delivery(each) for each in found])


OPERATIONS = (
    list_webhooks,
    register_webhook,
    get_webhook,
    change_webhook,
    delete_webhook,
    verify_webhook,
    test_webhook,
    rotate_webhook_secret,
    redeliver_webhook,
    list_webhook_deliveries,
)
