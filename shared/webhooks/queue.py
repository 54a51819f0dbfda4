"""The queue of attempts in Queue Storage. The Functions trigger expects base64; the SDK sends plain text by default."""

import json
from typing import TYPE_CHECKING

from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.storage.queue import QueueServiceClient

DELIVERIES = "webhook-deliveries"


class StorageDeliveryQueue:
    """Implements DeliveryQueue. The deployment has created the queue."""

    def __init__(self, queues: "QueueServiceClient") -> None:
        from azure.storage.queue import TextBase64EncodePolicy

        self._queue = queues.get_queue_client(DELIVERIES, message_encode_policy=TextBase64EncodePolicy())

    def send(self, endpoint_id: str, delivery_id: str, attempt: int, delay_seconds: int = 0) -> None:
        """Send one message. Messages do not expire: the last attempt comes after two days."""
        message = {"endpoint": endpoint_id, "delivery": delivery_id, "attempt": attempt}
        with translate_errors():
            self._queue.send_message(
                json.dumps(message, separators=(",", ":")), visibility_timeout=max(0, delay_seconds), time_to_live=-1
            )
