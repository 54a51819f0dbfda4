"""The queue of attempts in Queue Storage."""

from typing import TYPE_CHECKING

from shared.storage.queue_rest import NEVER, QueueRest

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

DELIVERIES = "webhook-deliveries"


class StorageDeliveryQueue:
    """Implements DeliveryQueue. The deployment has created the queue."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._queues = QueueRest(queues)

    def send(self, endpoint_id: str, delivery_id: str, attempt: int, delay_seconds: int = 0) -> None:
        """Send one message. It does not expire: the last attempt comes after two days, and the app may stand still."""
        message = {"endpoint": endpoint_id, "delivery": delivery_id, "attempt": attempt}
        self._queues.send(DELIVERIES, message, delay_seconds, NEVER)
