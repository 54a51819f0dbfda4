"""An endpoint, a delivery, and the rules of both: which events it gets, when a failed attempt is repeated."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.mailboxes.outbox.events import EventType, MailboxEvent

RETRY_DELAYS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=16),
)
"""How long after each failed attempt the next one comes: ten attempts within two days."""

LONGEST_WAIT = timedelta(days=1)
"""The most that an endpoint's Retry-After delays the next attempt."""

SECRET_OVERLAP = timedelta(hours=24)
"""How long after a rotation deliveries are also signed with the previous secret."""

DELIVERIES_KEPT = timedelta(days=14)
"""How long a delivery can be seen and sent again."""

OVERDUE = timedelta(hours=1)
"""A pending delivery whose attempt is overdue by more than this has lost its message; it has to be queued again."""

MAX_EARLIER_SECRETS = 8
"""How many secrets from before the previous one still sign, if a secret is rotated several times within a day."""

MAX_ENDPOINTS = 50

TEST_EVENT = "webhook.test"
VERIFICATION_EVENT = "webhook.verification"
"""The types of the events that tell nothing of a mailbox."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that events are delivered to. `events` and `tenants` narrow them; empty: all."""

    id: str
    url: str
    created_at: datetime
    created_by: str
    description: str = ""
    events: tuple[EventType, ...] = ()
    tenants: tuple[str, ...] = ()
    enabled: bool = True
    verified_at: datetime | None = None
    """When the endpoint has returned the challenge. Before that it gets no events."""
    failing_since: datetime | None = None
    """The first failed attempt since the last success."""
    failed_deliveries: int = 0
    """How many deliveries were given up since the last success."""
    disabled_reason: str = ""
    """Why this program has disabled it: `gone`, for the answer 410. Empty if an operator did."""
    previous_secret_until: datetime | None = None
    """Until when deliveries are also signed with the secret from before the last rotation."""
    version: str = field(default="", compare=False)

    def with_changes(self, **changes: object) -> "Endpoint":
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def is_ready(endpoint: Endpoint) -> bool:
    """Whether it gets events."""
    return endpoint.enabled and endpoint.verified_at is not None


def wants(endpoint: Endpoint, event: EventType, tenant_id: str) -> bool:
    """Whether events of this type and tenant are delivered to it."""
    is_chosen = not endpoint.events or event in endpoint.events
    return is_ready(endpoint) and is_chosen and (not endpoint.tenants or tenant_id in endpoint.tenants)


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The secrets that deliveries to an endpoint are signed with; the previous one for a while after a rotation.

    `earlier` are those from before the previous one, the latest first, each with the time until which it is valid.
    """

    current: str = field(repr=False)
    previous: str = field(default="", repr=False)
    previous_until: datetime | None = None
    earlier: tuple[tuple[str, datetime], ...] = field(default=(), repr=False)

    def valid(self, now: datetime) -> tuple[str, ...]:
        """The secrets to sign with now, the current one first."""
        return (self.current, *(secret for secret, _ in self._replaced(now)))

    def rotated(self, current: str, now: datetime) -> "SigningSecrets":
        """The secrets with a new current one. Each that is replaced stays valid for SECRET_OVERLAP after that."""
        earlier = tuple(self._replaced(now))[:MAX_EARLIER_SECRETS]
        return SigningSecrets(current, self.current, now + SECRET_OVERLAP, earlier)

    def _replaced(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """The replaced secrets that are still valid, the latest first."""
        if self.previous_until is not None and now < self.previous_until:
            yield self.previous, self.previous_until
        yield from ((secret, until) for secret, until in self.earlier if now < until)


class DeliveryStatus(StrEnum):
    """What has become of a delivery. `failed`: every attempt failed; `canceled`: the endpoint was disabled."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. `body` holds the exact text that is signed and sent."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    mailbox_id: str
    created_at: datetime
    body: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    attempted_at: datetime | None = None
    next_attempt_at: datetime | None = None
    answer: int = 0
    """The HTTP status of the last attempt; 0 if there was no answer."""
    fault: str = ""
    """Why the last attempt failed, if there was no answer."""
    version: str = field(default="", compare=False)

    def with_changes(self, **changes: object) -> "Delivery":
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request to an endpoint. `status` is 0 and `fault` says why if there was no answer."""

    status: int = 0
    fault: str = ""
    retry_after: float | None = None
    """In seconds, if the endpoint named a time."""
    body: bytes = field(default=b"", repr=False)
    """The beginning of the answer."""

    @property
    def is_success(self) -> bool:
        """Whether the endpoint has taken the event."""
        return 200 <= self.status < 300


def is_overdue(delivery: Delivery, now: datetime) -> bool:
    """Whether the delivery waits for an attempt whose message was lost, or put aside after it had failed too often."""
    due = delivery.next_attempt_at or delivery.created_at
    return delivery.status is DeliveryStatus.PENDING and due < now - OVERDUE


def delivery_of(event: MailboxEvent, endpoint: Endpoint, delivery_id: str) -> Delivery:
    """The delivery of a mailbox's event."""
    data: dict[str, int | str] = {"mailbox_id": event.mailbox_id, "tenant_id": event.tenant_id, **event.data}
    return Delivery(
        delivery_id,
        endpoint.id,
        event.id,
        event.type.value,
        event.mailbox_id,
        event.at,
        event_body(event.type.value, event.at, data),
    )


def event_body(kind: str, at: datetime, data: Mapping[str, int | str]) -> str:
    """The JSON text of an event, as Standard Webhooks lays it out: type, timestamp, data."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": dict(data)}, separators=(",", ":"))


def after_attempt(delivery: Delivery, answer: Answer, now: datetime) -> Delivery:
    """The delivery after one attempt: delivered, given up, or with the time of its next attempt."""
    tried = delivery.with_changes(
        attempts=delivery.attempts + 1,
        attempted_at=now,
        next_attempt_at=None,
        answer=answer.status,
        fault=answer.fault,
    )
    if answer.is_success:
        return tried.with_changes(status=DeliveryStatus.DELIVERED)
    if tried.attempts > len(RETRY_DELAYS):
        return tried.with_changes(status=DeliveryStatus.FAILED)
    asked = timedelta(seconds=max(0.0, answer.retry_after or 0.0))
    delay = max(RETRY_DELAYS[tried.attempts - 1], min(asked, LONGEST_WAIT))
    return tried.with_changes(next_attempt_at=now + delay)
