"""The ports of webhooks: the stores of endpoints, secrets, and deliveries, the queue, and the way to an endpoint."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from shared.webhooks.model import Answer, Delivery, Endpoint, SigningSecrets


class EndpointStore(Protocol):
    """The registered endpoints; there are few."""

    def add(self, endpoint: Endpoint) -> Endpoint:
        """Store a new endpoint."""
        ...

    def get(self, endpoint_id: str) -> Endpoint:
        """Return one endpoint. Raises NotFound."""
        ...

    def all(self) -> list[Endpoint]:
        """Return all endpoints, oldest first, except those that this version cannot read."""
        ...

    def change(self, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Read, change and replace an endpoint; repeat after a conflict. Raises NotFound."""
        ...

    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint; no error if there is none."""
        ...


class SecretStore(Protocol):
    """The signing secrets of endpoints."""

    def read(self, endpoint_id: str, *, fresh: bool = False) -> SigningSecrets:
        """Return an endpoint's secrets, at most a minute old; with `fresh` as they are stored now. Raises NotFound."""
        ...

    def write(self, endpoint_id: str, secrets: SigningSecrets) -> None:
        """Store an endpoint's secrets."""
        ...

    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint's secrets; no error if there are none."""
        ...


class DeliveryStore(Protocol):
    """The deliveries of each endpoint, for as long as they can be seen."""

    def id_of(self, event_id: str, at: datetime) -> str:
        """The id that the delivery of this event has at every endpoint. Later events have smaller ids."""
        ...

    def add(self, delivery: Delivery) -> None:
        """Store a delivery, unless it is stored already."""
        ...

    def get(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """Return one delivery. Raises NotFound."""
        ...

    def replace(self, delivery: Delivery) -> None:
        """Replace a delivery as it was read. Raises Conflict: it has changed since, or is gone."""
        ...

    def recent(self, endpoint_id: str, limit: int) -> Sequence[Delivery]:
        """Return the latest deliveries of an endpoint, newest first, except those that this version cannot read."""
        ...

    def forget(self, endpoint_id: str, before: datetime | None = None) -> int:
        """Delete the deliveries of events before this time, or all of an endpoint; return how many."""
        ...


class DeliveryQueue(Protocol):
    """The queue of attempts."""

    def send(self, endpoint_id: str, delivery_id: str, attempt: int, delay_seconds: int = 0) -> None:
        """Queue one attempt; `attempt` is the number of attempts before it."""
        ...


class WebhookClient(Protocol):
    """Sends requests to endpoints."""

    def refusal_of(self, url: str) -> str:
        """Why a URL can never be an endpoint, in a word; empty if it can."""
        ...

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send one request. Never raises: a fault is part of the answer."""
        ...
