"""The queue of notices in Queue Storage."""

from datetime import date
from typing import TYPE_CHECKING

from shared.notices.model import NoticeKind
from shared.storage.queue_rest import QueueRest

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

NOTICES = "notices"
LIFE_SECONDS = 24 * 3600
"""A notice that nobody could send within a day is dropped: the digest tells of what still holds."""


class StorageNoticeQueue:
    """Implements NoticeQueue. The deployment has created the queue."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._queues = QueueRest(queues)

    def send(self, event_id: str, kind: NoticeKind, mailbox_id: str) -> None:
        """Send one message."""
        message = {"event": event_id, "kind": kind.value.replace("_", "-"), "mailbox": mailbox_id}
        self._queues.send(NOTICES, message, 0, LIFE_SECONDS)

    def send_digest(self, day: date) -> None:
        """Send one message."""
        self._queues.send(NOTICES, {"digest": day.isoformat()}, 0, LIFE_SECONDS)
