"""In-memory fakes of the webhooks' ports. They pass the same contract suite as the adapters."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from shared.errors import Conflict, MailboxSyncError, NotFound
from shared.mailboxes.outbox.events import EventType
from shared.webhooks.deliverer import Deliverer
from shared.webhooks.endpoints import WebhookEndpoints
from shared.webhooks.model import Answer, Delivery, Endpoint, SigningSecrets
from shared.webhooks.publisher import Publisher
from shared.webhooks.sender import Sender
from tests.fakes.clock import FakeClock

_END = datetime(5000, 1, 1, tzinfo=UTC)


class MemoryEndpoints:
    """Implements EndpointStore."""

    def __init__(self) -> None:
        self._rows: dict[str, Endpoint] = {}
        self._writes = 0

    def add(self, endpoint: Endpoint) -> Endpoint:
        """Store a new endpoint."""
        return self._put(endpoint)

    def get(self, endpoint_id: str) -> Endpoint:
        """One endpoint."""
        if endpoint_id not in self._rows:
            raise NotFound("no such endpoint")
        return self._rows[endpoint_id]

    def all(self) -> list[Endpoint]:
        """All endpoints, oldest first."""
        return sorted(self._rows.values(), key=lambda endpoint: endpoint.created_at)

    def change(self, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Read, change, replace."""
        before = self.get(endpoint_id)
        after = change(before)
        return before if after == before else self._put(after)

    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint if it exists."""
        self._rows.pop(endpoint_id, None)

    def _put(self, endpoint: Endpoint) -> Endpoint:
        self._writes += 1
        self._rows[endpoint.id] = endpoint.with_changes(version=str(self._writes))
        return self._rows[endpoint.id]


class MemorySecrets:
    """Implements SecretStore."""

    def __init__(self) -> None:
        self._known: dict[str, SigningSecrets] = {}

    def read(self, endpoint_id: str, *, fresh: bool = False) -> SigningSecrets:
        """An endpoint's secrets."""
        if endpoint_id not in self._known:
            raise NotFound("no such secret")
        return self._known[endpoint_id]

    def write(self, endpoint_id: str, secrets: SigningSecrets) -> None:
        """Store an endpoint's secrets."""
        self._known[endpoint_id] = secrets

    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint's secrets if they exist."""
        self._known.pop(endpoint_id, None)


class MemoryDeliveries:
    """Implements DeliveryStore. `failure` is raised by every deletion while it is set."""

    def __init__(self) -> None:
        self.failure: MailboxSyncError | None = None
        self._rows: dict[tuple[str, str], Delivery] = {}
        self._writes = 0

    def id_of(self, event_id: str, at: datetime) -> str:
        """Later events have smaller ids."""
        return f"{int((_END - at).total_seconds() * 1000):015d}-{event_id}"

    def add(self, delivery: Delivery) -> None:
        """Store a delivery unless it exists."""
        if (delivery.endpoint_id, delivery.id) not in self._rows:
            self._put(delivery)

    def get(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """One delivery."""
        if (endpoint_id, delivery_id) not in self._rows:
            raise NotFound("no such delivery")
        return self._rows[endpoint_id, delivery_id]

    def replace(self, delivery: Delivery) -> None:
        """Replace a delivery as it was read."""
        found = self._rows.get((delivery.endpoint_id, delivery.id))
        if found is None or found.version != delivery.version:
            raise Conflict("changed since it was read")
        self._put(delivery)

    def recent(self, endpoint_id: str, limit: int) -> Sequence[Delivery]:
        """The latest deliveries, newest first."""
        return [self._rows[key] for key in sorted(self._rows) if key[0] == endpoint_id][:limit]

    def forget(self, endpoint_id: str, before: datetime | None = None) -> int:
        """Delete the deliveries of events before this time, or all."""
        if self.failure is not None:
            raise self.failure
        old = [
            key
            for key, delivery in self._rows.items()
            if key[0] == endpoint_id and (before is None or delivery.created_at < before)
        ]
        for key in old:
            del self._rows[key]
        return len(old)

    def _put(self, delivery: Delivery) -> None:
        self._writes += 1
        self._rows[delivery.endpoint_id, delivery.id] = delivery.with_changes(version=str(self._writes))


class MemoryDeliveryQueue:
    """Implements DeliveryQueue: messages with the time from which they can be taken."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.messages: list[tuple[float, str, str, int]] = []
        self.error: Exception | None = None

    def send(self, endpoint_id: str, delivery_id: str, attempt: int, delay_seconds: int = 0) -> None:
        """Append a message, unless an error is set."""
        if self.error is not None:
            raise self.error
        self.messages.append((self._clock().timestamp() + delay_seconds, endpoint_id, delivery_id, attempt))

    def take(self) -> list[tuple[str, str, int]]:
        """Take the messages that are visible now."""
        now = self._clock().timestamp()
        taken = [message[1:] for message in self.messages if message[0] <= now]
        self.messages = [message for message in self.messages if message[0] > now]
        return taken


class FakeReceiver:
    """Implements WebhookClient: one receiver for all URLs. `answers` come first, then 200; it returns challenges."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.challenge_answers: list[Answer] = []
        """What the next challenges are answered with, in place of the challenge."""
        self.before_challenge: Callable[[], object] = lambda: None
        """What happens while a challenge is on its way."""
        self.before_answer: Callable[[], object] | None = None
        """What happens once, while the next event is on its way."""
        self.received: list[tuple[str, dict[str, str], str]] = []
        self.returns_challenge = True

    def refusal_of(self, url: str) -> str:
        """Accept https URLs."""
        return "" if url.startswith("https://") else "not_https"

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Store the request and answer it."""
        event = json.loads(body)
        if event["type"] == "webhook.verification":
            self.before_challenge()
            if self.challenge_answers:
                return self.challenge_answers.pop(0)
            challenge = event["data"]["challenge"] if self.returns_challenge else "no"
            return Answer(200, body=json.dumps({"challenge": challenge}).encode())
        self.received.append((url, headers, body.decode()))
        happening, self.before_answer = self.before_answer, None
        if happening is not None:
            happening()
        return self.answers.pop(0) if self.answers else Answer(200)

    def events(self) -> list[str]:
        """The ids of the events received, each as often as it came."""
        return [headers["webhook-id"] for _, headers, _ in self.received]


class WebhookHarness:
    """All parts of webhooks in memory, with a clock that a test advances."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.endpoints, self.secrets, self.deliveries = MemoryEndpoints(), MemorySecrets(), MemoryDeliveries()
        self.queue, self.receiver = MemoryDeliveryQueue(self.clock), FakeReceiver()
        self.audit: list[tuple[str, str, str]] = []
        sender = Sender(self.secrets, self.receiver, self.clock)
        self.publisher = Publisher(self.endpoints, self.deliveries, self.queue, self.clock.monotonic)
        self.commands = WebhookEndpoints(
            endpoints=self.endpoints,
            secrets=self.secrets,
            deliveries=self.deliveries,
            queue=self.queue,
            client=self.receiver,
            sender=sender,
            audit=lambda *words: self.audit.append(words),
            changed=self.publisher.refresh,
            clock=self.clock,
        )
        self.deliverer = Deliverer(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=self.queue,
            sender=sender,
            clock=self.clock,
            monotonic=self.clock.monotonic,
        )

    def register(self, *events: EventType, tenants: Sequence[str] = ()) -> Endpoint:
        """A verified endpoint with a URL of its own."""
        url = f"https://crm.example/hooks/{len(self.endpoints.all())}"
        return self.commands.create(url, "op", events=events, tenants=tenants).endpoint

    def work(self) -> None:
        """Make every attempt that is due now."""
        for message in self.queue.take():
            self.deliverer.attempt(*message)

    def work_for(self, *, hours: float) -> None:
        """Let time pass from message to message."""
        until = self.clock().timestamp() + hours * 3600
        while due := sorted(message[0] for message in self.queue.messages if message[0] <= until):
            self.clock.pass_by(seconds=max(0.0, due[0] - self.clock().timestamp()))
            self.work()
        self.clock.pass_by(seconds=until - self.clock().timestamp())
