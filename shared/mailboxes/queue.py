"""The dispatch's queues in Queue Storage. The Functions trigger expects base64; the SDK sends plain text by default."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient, QueueServiceClient

SHARDS = "sync-shards"
MAILBOXES = "sync-mailboxes"
MAX_DELAY_SECONDS = 7 * 24 * 3600
"""The service's limit on how long a message may stay invisible."""


class StorageSyncQueue:
    """Implements SyncQueue. The deployment has created the queues."""

    def __init__(self, queues: "QueueServiceClient") -> None:
        from azure.storage.queue import TextBase64EncodePolicy

        self._shards = queues.get_queue_client(SHARDS, message_encode_policy=TextBase64EncodePolicy())
        self._mailboxes = queues.get_queue_client(MAILBOXES, message_encode_policy=TextBase64EncodePolicy())

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Send one message for a shard."""
        _send(self._shards, {"shard": shard} | _sweep_flag(sweep) | _at("tick", tick), 0, seconds_to_live)

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
        _send(self._mailboxes, message, delay_seconds)


def _sweep_flag(sweep: bool) -> dict[str, Any]:
    return {"sweep": True} if sweep else {}


def _at(name: str, moment: datetime | None) -> dict[str, Any]:
    """A time as whole seconds since 1970."""
    return {} if moment is None else {name: int(moment.timestamp())}


def _send(
    queue: "QueueClient", message: dict[str, Any], delay_seconds: int, seconds_to_live: int | None = None
) -> None:
    with translate_errors():
        queue.send_message(
            json.dumps(message, separators=(",", ":")),
            visibility_timeout=max(0, min(delay_seconds, MAX_DELAY_SECONDS)),
            time_to_live=seconds_to_live,
        )
