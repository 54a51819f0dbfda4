"""What an operator does with endpoints: register, verify, change, rotate the secret, test, look, send again."""

import base64
import binascii
import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import Conflict
from shared.mailboxes.outbox.events import EventType
from shared.webhooks.challenge import returns_challenge
from shared.webhooks.egress import same_target
from shared.webhooks.errors import TooManyWebhooks, WebhookExists, WebhookRefused
from shared.webhooks.model import (
    MAX_ENDPOINTS,
    TEST_EVENT,
    VERIFICATION_EVENT,
    Answer,
    Delivery,
    DeliveryStatus,
    Endpoint,
    SigningSecrets,
    event_body,
    is_overdue,
    is_ready,
)
from shared.webhooks.port import DeliveryQueue, DeliveryStore, EndpointStore, SecretStore, WebhookClient
from shared.webhooks.sender import Sender
from shared.webhooks.signing import new_secret

MAX_DESCRIPTION = 200
MAX_TENANTS = 50
MAX_SHOWN = 200
"""How many of the last deliveries are shown at most."""
MAX_REDELIVERED = 1000
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint after it was registered or verified. `answer` is what it answered to the challenge."""

    endpoint: Endpoint
    answer: Answer
    secret: str = field(default="", repr=False)
    """The signing secret, shown once."""
    has_returned_challenge: bool = False


class WebhookEndpoints:
    """The commands on endpoints. The caller has checked that the requester may give them.

    `audit` records an action: the endpoint's id, the actor's opaque id, the action. `changed` is called when endpoints
    have changed.
    """

    def __init__(
        self,
        *,
        endpoints: EndpointStore,
        secrets: SecretStore,
        deliveries: DeliveryStore,
        queue: DeliveryQueue,
        client: WebhookClient,
        sender: Sender,
        audit: Callable[[str, str, str], None],
        changed: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._endpoints = endpoints
        self._secrets = secrets
        self._deliveries = deliveries
        self._queue = queue
        self._client = client
        self._sender = sender
        self._audit = audit
        self._changed = changed
        self._clock = clock

    def all(self) -> list[Endpoint]:
        """All endpoints, oldest first."""
        return self._endpoints.all()

    def get(self, endpoint_id: str) -> Endpoint:
        """One endpoint. Raises NotFound."""
        return self._endpoints.get(endpoint_id)

    def create(
        self,
        url: str,
        actor: str,
        *,
        events: Sequence[str] = (),
        tenants: Sequence[str] = (),
        description: str = "",
        secret: str = "",
    ) -> Registered:
        """Register an endpoint and send it the challenge. Without `secret` one is made.

        The row comes before the secret: an endpoint without a secret is seen and can be deleted, a secret without an
        endpoint would stay unseen.

        Raises:
            WebhookRefused: a field is wrong; WebhookExists: another endpoint has this URL; TooManyWebhooks: there are
                MAX_ENDPOINTS.
        """
        chosen = _checked_secret(secret) if secret else new_secret()
        fields = self._checked({"url": url, "events": events, "tenants": tenants, "description": description})
        self._require_new_url(url)
        if len(self._endpoints.all()) >= MAX_ENDPOINTS:
            raise TooManyWebhooks
        endpoint = Endpoint(
            id=randomness.token_hex(16), created_at=self._clock(), created_by=actor, url=url
        ).with_changes(**fields)
        endpoint = self._endpoints.add(endpoint)
        self._secrets.write(endpoint.id, SigningSecrets(chosen))
        self._audit(endpoint.id, actor, "webhook_create")
        verified = self.verify(endpoint.id)
        return replace(verified, secret=chosen)

    def verify(self, endpoint_id: str) -> Registered:
        """Send the challenge; an endpoint that returns it is verified from then on. Raises NotFound."""
        endpoint = self._endpoints.get(endpoint_id)
        answer, is_returned = self._challenge(endpoint)
        if not is_returned:
            return Registered(endpoint, answer)
        now = self._clock()

        def verified(found: Endpoint) -> Endpoint:
            return found.with_changes(verified_at=now) if found.url == endpoint.url else found

        after = self._endpoints.change(endpoint_id, verified)
        self._changed()
        return Registered(after, answer, has_returned_challenge=True)

    def change(self, endpoint_id: str, changes: dict[str, object], actor: str) -> Endpoint:
        """Change `url`, `events`, `tenants`, `description` or `enabled`. Another URL has to be verified again.

        The challenge comes before the change: in between, no event would be delivered, and those whose attempt comes
        would be canceled.

        Raises: WebhookRefused, NotFound.
        """
        checked = self._checked(changes)
        if "url" in checked:
            self._require_new_url(str(checked["url"]), endpoint_id)
        if checked.get("enabled") is not None:
            checked["disabled_reason"] = ""
        before = self._endpoints.get(endpoint_id)
        moved = before.with_changes(**checked)
        is_moved = moved.url != before.url
        verified_at = self._clock() if is_moved and self._challenge(moved)[1] else None

        def changed(found: Endpoint) -> Endpoint:
            after = found.with_changes(**checked)
            return after if after.url == found.url else after.with_changes(verified_at=verified_at, failing_since=None)

        endpoint = self._endpoints.change(endpoint_id, changed)
        self._changed()
        self._audit(endpoint_id, actor, "webhook_change")
        is_verified = endpoint.verified_at is not None
        return endpoint if is_moved or is_verified else self.verify(endpoint_id).endpoint

    def delete(self, endpoint_id: str, actor: str) -> None:
        """Delete an endpoint, its secrets and its deliveries. Raises NotFound.

        The row goes last, so that what could not be deleted can be asked for again. Events that other instances hand on
        meanwhile are deleted with their first attempt (deliverer.py).
        """
        self._endpoints.get(endpoint_id)
        self._secrets.delete(endpoint_id)
        self._deliveries.forget(endpoint_id)
        self._endpoints.delete(endpoint_id)
        self._changed()
        self._audit(endpoint_id, actor, "webhook_delete")

    def rotate(self, endpoint_id: str, actor: str) -> SigningSecrets:
        """Make a new secret. Deliveries are signed with the replaced one too for a day. Raises NotFound.

        Another instance may have rotated it within the last minute, so the secrets are not taken from memory.
        """
        self._endpoints.get(endpoint_id)
        rotated = self._secrets.read(endpoint_id, fresh=True).rotated(new_secret(), self._clock())
        self._secrets.write(endpoint_id, rotated)
        self._endpoints.change(endpoint_id, lambda it: it.with_changes(previous_secret_until=rotated.previous_until))
        self._audit(endpoint_id, actor, "webhook_rotate")
        return rotated

    def test(self, endpoint_id: str, actor: str) -> Delivery:
        """Send a test event now, once, and keep it among the deliveries. Raises NotFound."""
        endpoint, now, event_id = self._endpoints.get(endpoint_id), self._clock(), f"msg_{randomness.token_hex(16)}"
        body = event_body(TEST_EVENT, now, {"endpoint_id": endpoint_id})
        answer = self._sender.send(endpoint, event_id, body)
        delivery = Delivery(
            self._deliveries.id_of(event_id, now),
            endpoint_id,
            event_id,
            TEST_EVENT,
            "",
            now,
            body,
            DeliveryStatus.DELIVERED if answer.is_success else DeliveryStatus.FAILED,
            attempts=1,
            attempted_at=self._clock(),
            answer=answer.status,
            fault=answer.fault,
        )
        self._deliveries.add(delivery)
        self._audit(endpoint_id, actor, "webhook_test")
        return delivery

    def deliveries(self, endpoint_id: str, limit: int) -> Sequence[Delivery]:
        """The last deliveries of an endpoint, newest first. Raises NotFound."""
        self._endpoints.get(endpoint_id)
        return self._deliveries.recent(endpoint_id, min(limit, MAX_SHOWN))

    def redeliver(self, endpoint_id: str, actor: str) -> int:
        """Queue every delivery again that was given up or is overdue; returns how many. Raises NotFound.

        None for an endpoint that gets no events now: their attempts would be canceled, and they could never be sent.
        """
        if not is_ready(self._endpoints.get(endpoint_id)):
            return 0
        queued, now = 0, self._clock()
        for delivery in self._deliveries.recent(endpoint_id, MAX_REDELIVERED):
            is_given_up = delivery.status is DeliveryStatus.FAILED and delivery.event_type != TEST_EVENT
            if is_given_up or is_overdue(delivery, now):
                queued += self._queued_again(delivery, 0 if is_given_up else delivery.attempts, now)
        self._audit(endpoint_id, actor, "webhook_redeliver")
        return queued

    def _challenge(self, endpoint: Endpoint) -> tuple[Answer, bool]:
        """Send the challenge to the endpoint's URL; returns the answer, and whether it returns the challenge."""
        challenge = randomness.token_urlsafe(24)
        body = event_body(VERIFICATION_EVENT, self._clock(), {"challenge": challenge})
        answer = self._sender.send(endpoint, f"msg_{randomness.token_hex(16)}", body)
        return answer, answer.is_success and returns_challenge(answer.body, challenge)

    def _require_new_url(self, url: str, own_id: str = "") -> None:
        """Raise WebhookExists if another endpoint than `own_id` has this URL. Two requests at once can pass both."""
        for endpoint in self._endpoints.all():
            if endpoint.id != own_id and same_target(endpoint.url, url):
                raise WebhookExists(endpoint.id)

    def _queued_again(self, delivery: Delivery, attempts: int, now: datetime) -> bool:
        """Queue a delivery again; False if it has changed since it was read."""
        pending = delivery.with_changes(status=DeliveryStatus.PENDING, attempts=attempts, next_attempt_at=now)
        try:
            self._deliveries.replace(pending)
        except Conflict:
            return False
        self._queue.send(delivery.endpoint_id, delivery.id, attempts)
        return True

    def _checked(self, fields: dict[str, object]) -> dict[str, object]:
        """The fields with their values checked and typed. Raises WebhookRefused."""
        return {name: self._value(name, value) for name, value in fields.items()}

    def _value(self, name: str, value: object) -> object:
        match name, value:
            case "url", str(url):
                if refusal := self._client.refusal_of(url):
                    raise WebhookRefused("url", refusal)
                return url
            case "events", list() | tuple():
                return _checked_events(value)
            case "tenants", list() | tuple():
                return _checked_tenants(value)
            case "description", str(text) if len(text) <= MAX_DESCRIPTION and text.isprintable():
                return text
            case "enabled", bool():
                return value
        raise WebhookRefused(name)


def _checked_events(names: Sequence[object]) -> tuple[EventType, ...]:
    try:
        return tuple(sorted({EventType(str(name)) for name in names}))
    except ValueError as exc:
        raise WebhookRefused("events") from exc


def _checked_tenants(names: Sequence[object]) -> tuple[str, ...]:
    if len(names) > MAX_TENANTS or not all(isinstance(name, str) and _is_tenant(name) for name in names):
        raise WebhookRefused("tenants")
    return tuple(sorted({str(name) for name in names}))


def _is_tenant(name: str) -> bool:
    return 1 <= len(name) <= 64 and name.isascii() and name.replace("-", "").isalnum()


def _checked_secret(secret: str) -> str:
    """A secret that a caller chose: `whsec_` and 24 to 64 bytes in base64. Raises WebhookRefused."""
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise WebhookRefused("secret") from exc
    if not secret.startswith(_PREFIX) or not 24 <= len(raw) <= 64:
        raise WebhookRefused("secret")
    return secret
