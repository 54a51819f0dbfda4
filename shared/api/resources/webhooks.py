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
    """An https URL of a public host, with port 443 or one from 1024 on."""
    events: list[EventType] = []
    """The types of events to deliver; none: all."""
    tenants: TenantIds = []
    """The ids of the tenants whose mailboxes are told of; none: all."""
    description: Description = ""
    """A line of text for people."""
    secret: Annotated[str, Meta(max_length=100)] = ""
    """The signing secret: `whsec_` and 24 to 64 bytes in base64. Without it, one is made."""


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an endpoint. Another `url` has to be verified again."""

    url: Url | UnsetType = UNSET
    """Another URL."""
    events: list[EventType] | UnsetType = UNSET
    """The types of events to deliver; none: all."""
    tenants: TenantIds | UnsetType = UNSET
    """The ids of the tenants whose mailboxes are told of; none: all."""
    description: Description | UnsetType = UNSET
    """A line of text for people."""
    enabled: bool | UnsetType = UNSET
    """Whether events are delivered."""


class Webhook(Struct, frozen=True):
    """A registered endpoint. It gets events once it is verified. `failing_since`: since then every attempt failed."""

    id: str
    """The id of the endpoint."""
    url: str
    """Where events are delivered to."""
    description: str
    """A line of text for people."""
    events: list[EventType]
    """The types of events that are delivered; none: all."""
    tenants: list[str]
    """The tenants whose mailboxes are told of; none: all."""
    enabled: bool
    """Whether events are delivered."""
    disabled_reason: str
    """`gone` if the endpoint answered 410; empty if an operator disabled it, or it is enabled."""
    verified_at: Time | None
    """When it returned the challenge; null: it has not, and gets no events."""
    failing_since: Time | None
    """When the first attempt failed since the last success; null if none did."""
    failed_deliveries: int
    """How many deliveries were given up since the last success."""
    created_at: Time
    """When it was registered."""
    created_by: str
    """Who registered it: an object id."""


def webhook(endpoint: model.Endpoint) -> Webhook:
    """The endpoint as programs see it."""
    values = {name: getattr(endpoint, name) for name in Webhook.__struct_fields__}
    return Webhook(**values | {"events": list(endpoint.events), "tenants": list(endpoint.tenants)})


class WebhookList(Struct, frozen=True):
    """All endpoints, oldest first."""

    webhooks: list[Webhook]
    """The endpoints."""


class Verification(Struct, frozen=True):
    """What an endpoint answered to the challenge: the HTTP status, or 0 and the fault."""

    status: int
    """The HTTP status of the answer; 0 if there was none."""
    fault: str
    """Why there was no answer, in a word; empty if there was one."""


class RegisteredWebhook(Struct, frozen=True):
    """An endpoint after it was registered. The `secret` is not shown again."""

    webhook: Webhook
    """The endpoint."""
    verification: Verification
    """What it answered to the challenge."""
    secret: str
    """The signing secret. It is not shown again."""


class VerifiedWebhook(Struct, frozen=True):
    """An endpoint after it was sent a challenge."""

    webhook: Webhook
    """The endpoint."""
    verification: Verification
    """What it answered to the challenge."""


def verification(answer: model.Answer) -> Verification:
    """The answer as programs see it."""
    return Verification(answer.status, answer.fault)


class RotatedSecret(Struct, frozen=True):
    """A new secret. Deliveries are signed with the previous one as well until `previous_valid_until`."""

    secret: str
    """The new signing secret. It is not shown again."""
    previous_valid_until: Time | None
    """Until when deliveries are also signed with the previous one."""


class Redelivery(Struct, frozen=True):
    """How many deliveries were queued again."""

    queued: int
    """How many deliveries were queued again."""


class WebhookDelivery(Struct, frozen=True):
    """One event on its way to one endpoint. `answer` and `fault` are of the last attempt."""

    id: str
    """The id of the delivery."""
    event_id: str
    """The id of the event, in the header `webhook-id`."""
    event_type: str
    """The type of the event."""
    mailbox_id: str
    """The mailbox that it tells of; empty for a test."""
    created_at: Time
    """When the event happened."""
    status: model.DeliveryStatus
    """What has become of it."""
    attempts: int
    """How often it was tried."""
    attempted_at: Time | None
    """When it was tried last."""
    next_attempt_at: Time | None
    """When it is tried again; null if it is not."""
    answer: int
    """The HTTP status of the last attempt; 0 if there was no answer."""
    fault: str
    """Why there was no answer, in a word."""


def delivery(stored: model.Delivery) -> WebhookDelivery:
    """The delivery as programs see it."""
    return WebhookDelivery(**{name: getattr(stored, name) for name in WebhookDelivery.__struct_fields__})


class WebhookDeliveryList(Struct, frozen=True):
    """The last deliveries of an endpoint, newest first."""

    deliveries: list[WebhookDelivery]
    """The deliveries."""
