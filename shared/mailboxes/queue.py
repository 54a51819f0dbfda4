"""The dispatch's queues in Queue Storage."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.storage.queue_rest import QueueRest

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

SHARDS = "sync-shards"
MAILBOXES = "sync-mailboxes"


class StorageSyncQueue:
    """Implements SyncQueue. The deployment has created the queues."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._queues = QueueRest(queues)

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Send one message for a shard."""
        self._queues.send(SHARDS, {"shard": shard} | _sweep_flag(sweep) | _at("tick", tick), 0, seconds_to_live)

    def send_mailbox(
        self,
        mailbox_id: str,
        *,
        delay_seconds: int = 0,
        continuation: int | None = None,
        sweep: bool = False,
        scheduled: datetime | None = None,
    ) -> None:
        """Send one message for a pass."""
        message: dict[str, Any] = {"mailbox": mailbox_id} | _sweep_flag(sweep) | _at("scheduled", scheduled)
        if continuation is not None:
            message["continuation"] = continuation
        self._queues.send(MAILBOXES, message, delay_seconds)


def _sweep_flag(sweep: bool) -> dict[str, Any]:
    return {"sweep": True} if sweep else {}


def _at(name: str, moment: datetime | None) -> dict[str, Any]:
    """A time as whole seconds since 1970."""
    return {} if moment is None else {name: int(moment.timestamp())}
