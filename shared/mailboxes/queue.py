"""The dispatch's queues in Queue Storage. The Functions trigger expects messages in base64.

https://learn.microsoft.com/rest/api/storageservices/put-message
"""

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.storage.storage_rest import StorageRestClient

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

SHARDS = "sync-shards"
MAILBOXES = "sync-mailboxes"
MAX_DELAY_SECONDS = 7 * 24 * 3600
"""The service's limit on how long a message may stay invisible."""

_HEADERS = {"x-ms-version": "2023-11-03"}
_CONTENT = {"Content-Type": "application/xml"}


class StorageSyncQueue:
    """Implements SyncQueue. The deployment has created the queues."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._client = StorageRestClient(queues.url, queues.credential, _HEADERS)

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Send one message for a shard."""
        self._send(SHARDS, {"shard": shard} | _sweep_flag(sweep) | _at("tick", tick), 0, seconds_to_live)

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
        self._send(MAILBOXES, message, delay_seconds)

    def _send(
        self, queue: str, message: dict[str, Any], delay_seconds: int, seconds_to_live: int | None = None
    ) -> None:
        """Send a message. A repeated request may send it twice, which every receiver tolerates."""
        text = base64.b64encode(json.dumps(message, separators=(",", ":")).encode())
        path = f"{queue}/messages?visibilitytimeout={max(0, min(delay_seconds, MAX_DELAY_SECONDS))}"
        if seconds_to_live is not None:
            path += f"&messagettl={seconds_to_live}"
        content = b"<QueueMessage><MessageText>%s</MessageText></QueueMessage>" % text
        self._client.send("POST", path, expect=(201,), headers=_CONTENT, content=content, repeatable=True)


def _sweep_flag(sweep: bool) -> dict[str, Any]:
    return {"sweep": True} if sweep else {}


def _at(name: str, moment: datetime | None) -> dict[str, Any]:
    """A time as whole seconds since 1970."""
    return {} if moment is None else {name: int(moment.timestamp())}
