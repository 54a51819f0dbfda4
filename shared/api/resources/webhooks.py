"""Webhook endpoints and their deliveries."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.api.resources.values import Time
from shared.mailboxes.outbox.events import EventType
from shared.webhooks import model
from shared.webhooks.endpoints import MAX_DESCRIPTION, MAX_TENANTS

Url = Annotated[str, Meta(max_length=2000)]
Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
TenantIds = Annotated[list[str], Meta(max_length=MAX_TENANTS)]


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint to register. No `events`: all types; no `tenants`: all; without `secret` one is made."""

    url: Url
    events: list[EventType] = []
    tenants: TenantIds = []
    description: Description = ""
    secret: Annotated[str, Meta(max_length=100)] = ""


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an endpoint. Another `url` has to be verified again."""

    url: Url | UnsetType = UNSET
    events: list[EventType] | UnsetType = UNSET
    tenants: TenantIds | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class Webhook(Struct, frozen=True):
    """A registered endpoint. It gets events once it is verified. `failing_since`: since then every attempt failed."""

    id: str
    url: str
    description: str
    events: list[EventType]
    tenants: list[str]
    enabled: bool
    disabled_reason: str
    verified_at: Time | None
    failing_since: Time | None
    failed_deliveries: int
    created_at: Time
    created_by: str


def webhook(endpoint: model.Endpoint) -> Webhook:
    """The endpoint as programs see it."""
    values = {name: getattr(endpoint, name) for name in Webhook.__struct_fields__}
    return Webhook(**values | {"events": list(endpoint.events), "tenants": list(endpoint.tenants)})


class WebhookList(Struct, frozen=True):
    """All endpoints, oldest first."""

    webhooks: list[Webhook]


class Verification(Struct, frozen=True):
    """What an endpoint answered to the challenge: the HTTP status, or 0 and the fault."""

    status: int
    fault: str


class RegisteredWebhook(Struct, frozen=True):
    """An endpoint after it was registered. The `secret` is not shown again."""

    webhook: Webhook
    verification: Verification
    secret: str


class VerifiedWebhook(Struct, frozen=True):
    """An endpoint after it was sent a challenge."""

    webhook: Webhook
    verification: Verification


def verification(answer: model.Answer) -> Verification:
    """The answer as programs see it."""
    return Verification(answer.status, answer.fault)


class RotatedSecret(Struct, frozen=True):
    """A new secret. Deliveries are signed with the previous one as well until `previous_valid_until`."""

    secret: str
    previous_valid_until: Time | None


class Redelivery(Struct, frozen=True):
    """How many deliveries were queued again."""

    queued: int


class WebhookDelivery(Struct, frozen=True):
    """One event on its way to one endpoint. `answer` and `fault` are of the last attempt."""

    id: str
    event_id: str
    event_type: str
    mailbox_id: str
    created_at: Time
    status: model.DeliveryStatus
    attempts: int
    attempted_at: Time | None
    next_attempt_at: Time | None
    answer: int
    fault: str


def delivery(stored: model.Delivery) -> WebhookDelivery:
    """The delivery as programs see it."""
    return WebhookDelivery(**{name: getattr(stored, name) for name in WebhookDelivery.__struct_fields__})


class WebhookDeliveryList(Struct, frozen=True):
    """The last deliveries of an endpoint, newest first."""

    deliveries: list[WebhookDelivery]
