"""Computes the values of the operator's pages of webhooks, and reads the form of an endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.mailboxes.outbox.events import EventType
from shared.pages.status import Tone
from shared.webhooks.endpoints import MAX_DESCRIPTION, Registered
from shared.webhooks.errors import TooManyWebhooks, WebhookRefused
from shared.webhooks.model import Delivery, DeliveryStatus, Endpoint, is_overdue, is_ready

DELIVERIES_SHOWN = 50
EVENT = "event-"
"""The prefix of the form's checkboxes: a field for each type of event, named by it."""


class WebhookAction(StrEnum):
    """An operator's action on one endpoint; its value is the last part of the path it is posted to."""

    VERIFY = "verify"
    TEST = "test"
    REDELIVER = "redeliver"
    ROTATE = "rotate"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"


CONFIRMED_FIRST = frozenset({WebhookAction.ROTATE, WebhookAction.DELETE})
"""The actions that a separate page asks to confirm: a second rotation within a day ends the oldest secret at once."""

TOLD_AFTERWARD = frozenset({WebhookAction.TEST, WebhookAction.REDELIVER, WebhookAction.ENABLE, WebhookAction.DISABLE})
"""The actions that lead back to the endpoint's page, with a sentence under [console.webhooks.done]."""


@dataclass(frozen=True, slots=True)
class EndpointForm:
    """What the form of an endpoint says. `secret` is empty unless the operator chose one."""

    url: str = ""
    description: str = ""
    events: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)

    def fields(self) -> dict[str, object]:
        """The fields as `WebhookEndpoints.change` takes them."""
        return {
            "url": self.url,
            "description": self.description,
            "events": self.events,
            "tenants": self.tenants,
        }


def endpoint_form(fields: Mapping[str, str]) -> EndpointForm:
    """Read the form. What it says is checked by the command."""
    return EndpointForm(
        fields.get("url", "").strip(),
        fields.get("description", "").strip(),
        tuple(name.removeprefix(EVENT) for name in fields if name.startswith(EVENT)),
        tuple(fields.get("tenants", "").replace(",", " ").split()),
        fields.get("secret", "").strip(),
    )


def form_of(endpoint: Endpoint) -> EndpointForm:
    """The form with the endpoint's present values."""
    return EndpointForm(endpoint.url, endpoint.description, endpoint.events, endpoint.tenants)


def refusal_key(refused: WebhookRefused | TooManyWebhooks) -> str:
    """The key under [console.webhooks.refused] of what is wrong with the form."""
    if isinstance(refused, TooManyWebhooks):
        return "too_many"
    return f"url_{refused.fault}" if refused.parameter == "url" else refused.parameter


@dataclass(frozen=True, slots=True)
class Shown:
    """A state: the key of its word, and its severity."""

    state: str
    tone: Tone


def endpoint_state(endpoint: Endpoint) -> Shown:
    """What is shown as an endpoint's state. One that gets no events says so before how it fared until then."""
    if not endpoint.enabled:
        return Shown("gone", Tone.ATTENTION) if endpoint.disabled_reason == "gone" else Shown("disabled", Tone.STOPPED)
    if endpoint.verified_at is None:
        return Shown("unverified", Tone.ATTENTION)
    if endpoint.failing_since is not None:
        return Shown("failing", Tone.ATTENTION)
    return Shown("working", Tone.GOOD)


def delivery_state(delivery: Delivery, now: datetime) -> Shown:
    """What is shown as a delivery's state."""
    match delivery.status:
        case DeliveryStatus.DELIVERED:
            return Shown("delivered", Tone.GOOD)
        case DeliveryStatus.FAILED:
            return Shown("failed", Tone.ATTENTION)
        case DeliveryStatus.CANCELED:
            return Shown("canceled", Tone.STOPPED)
    if is_overdue(delivery, now):
        return Shown("overdue", Tone.ATTENTION)
    return Shown("retried" if delivery.attempts else "pending", Tone.WORKING)


def webhooks_values(
    endpoints: Sequence[Endpoint], form: EndpointForm | None = None, refused: str = ""
) -> dict[str, Any]:
    """Return the values of the template `console/webhooks`; `form` is what was typed, if it was refused."""
    return {
        "rows": [(endpoint, endpoint_state(endpoint)) for endpoint in endpoints],
        "form": form or EndpointForm(),
        "refused": refused,
        **_choices(),
    }


def webhook_values(
    endpoint: Endpoint,
    deliveries: Sequence[Delivery],
    now: datetime,
    *,
    form: EndpointForm | None = None,
    refused: str = "",
    challenged: Registered | None = None,
    secret: str = "",
) -> dict[str, Any]:
    """Return the values of the template `console/webhook`.

    `challenged` is the endpoint after it was just sent a challenge; `secret` is shown once, after it was made.
    """
    until = endpoint.previous_secret_until
    return {
        "endpoint": endpoint,
        "shown": endpoint_state(endpoint),
        "deliveries": [(delivery, delivery_state(delivery, now)) for delivery in deliveries],
        "previous_until": until if until is not None and now < until else None,
        "actions": actions_of(endpoint, deliveries, now),
        "form": form or form_of(endpoint),
        "refused": refused,
        "verification": _verification(challenged) if challenged is not None else "",
        "answer": challenged.answer if challenged is not None else None,
        "secret": secret,
        **_choices(),
    }


def actions_of(endpoint: Endpoint, deliveries: Sequence[Delivery], now: datetime) -> list[WebhookAction]:
    """What an operator can do with the endpoint now, the mildest first."""
    has_stuck = endpoint.failed_deliveries > 0 or any(
        delivery_state(delivery, now).state in ("failed", "overdue") for delivery in deliveries
    )
    return [
        *([WebhookAction.VERIFY] if endpoint.verified_at is None else [WebhookAction.TEST]),
        *([WebhookAction.REDELIVER] if has_stuck and is_ready(endpoint) else []),
        WebhookAction.DISABLE if endpoint.enabled else WebhookAction.ENABLE,
        WebhookAction.ROTATE,
        WebhookAction.DELETE,
    ]


def _verification(challenged: Registered) -> str:
    """The key under [console.webhooks.verification] of what came of a challenge."""
    if challenged.has_returned_challenge:
        return "verified"
    return "other_answer" if challenged.answer.status else "no_answer"


def _choices() -> dict[str, Any]:
    return {"event_types": [kind.value for kind in EventType], "longest_description": MAX_DESCRIPTION}
