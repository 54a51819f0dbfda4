"""The queue of jobs in Queue Storage."""

from typing import TYPE_CHECKING, Any

from shared.storage.queue_rest import QueueRest

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

JOBS = "jobs"


class StorageJobQueue:
    """Implements JobQueue. The deployment has created the queue."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._queues = QueueRest(queues)

    def send(self, job_id: str, number: int | None = None, delay_seconds: int = 0) -> None:
        """Send one message."""
        message: dict[str, Any] = {"job": job_id} | ({} if number is None else {"slice": number})
        self._queues.send(JOBS, message, delay_seconds)
