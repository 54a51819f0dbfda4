"""Hands the events of mailboxes on to the endpoints that want them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import ActionNeeded
from shared.mailboxes.outbox.events import EventType, MailboxEvent
from shared.webhooks.model import Endpoint, delivery_of, wants
from shared.webhooks.port import DeliveryQueue, DeliveryStore, EndpointStore

CACHED_SECONDS = 30.0
"""How long a new endpoint may wait for its first event."""


@dataclass(slots=True)
class _Known:
    read_at: float = float("-inf")
    endpoints: tuple[Endpoint, ...] = ()


class Publisher:
    """Writes a delivery for each event and endpoint, then queues its first attempt. Safe to repeat.

    `monotonic` is a clock in seconds.
    """

    def __init__(
        self,
        endpoints: EndpointStore,
        deliveries: DeliveryStore,
        queue: DeliveryQueue,
        monotonic: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._queue = queue
        self._monotonic = monotonic
        self._known = _Known()
        self._lock = threading.Lock()

    def wants(self, event: EventType, tenant_id: str) -> bool:
        """Whether an endpoint wants such an event. If the endpoints cannot be read, the event is kept."""
        try:
            return any(wants(endpoint, event, tenant_id) for endpoint in self._all())
        except ActionNeeded:
            return True

    def publish(self, events: Sequence[MailboxEvent]) -> None:
        """Hand events on. Raises ActionNeeded: some may not have been handed on, so all have to be published again.

        A delivery that is stored already is queued again all the same: a crash may have come in between. The queue's
        message says that it is the first attempt, and is passed over if that has been made.
        """
        endpoints = self._all()
        for event in events:
            for endpoint in endpoints:
                if wants(endpoint, event.type, event.tenant_id):
                    self._deliver(event, endpoint)

    def refresh(self) -> None:
        """Read the endpoints again at the next event; other instances do so within half a minute."""
        with self._lock:
            self._known = _Known()

    def _deliver(self, event: MailboxEvent, endpoint: Endpoint) -> None:
        delivery = delivery_of(event, endpoint, self._deliveries.id_of(event.id, event.at))
        self._deliveries.add(delivery)
        self._queue.send(endpoint.id, delivery.id, 0)

    def _all(self) -> tuple[Endpoint, ...]:
        with self._lock:
            if self._monotonic() - self._known.read_at > CACHED_SECONDS:
                self._known = _Known(self._monotonic(), tuple(self._endpoints.all()))
            return self._known.endpoints
