"""Sends messages to Azure Queue Storage over its REST interface. The Functions trigger expects them in base64.

https://learn.microsoft.com/rest/api/storageservices/put-message
"""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.storage.storage_rest import StorageRestClient

if TYPE_CHECKING:
    from shared.storage.storage_rest import StorageEndpoint

MAX_DELAY_SECONDS = 7 * 24 * 3600
"""The service's limit on how long a message may stay invisible."""

NEVER = -1
"""As `seconds_to_live`: the message stays until it is taken. By default a message is dropped after a week."""

_HEADERS = {"x-ms-version": "2023-11-03"}
_CONTENT = {"Content-Type": "application/xml"}


class QueueRest:
    """The queues of one account. Safe to use from several threads."""

    def __init__(self, queues: "StorageEndpoint") -> None:
        self._client = StorageRestClient(queues.url, queues.credential, _HEADERS)

    def send(
        self, queue: str, message: Mapping[str, Any], delay_seconds: int = 0, seconds_to_live: int | None = None
    ) -> None:
        """Send a message as JSON. A repeated request may send it twice, which every receiver tolerates."""
        text = base64.b64encode(json.dumps(message, separators=(",", ":")).encode())
        path = f"{queue}/messages?visibilitytimeout={max(0, min(delay_seconds, MAX_DELAY_SECONDS))}"
        if seconds_to_live is not None:
            path += f"&messagettl={seconds_to_live}"
        content = b"<QueueMessage><MessageText>%s</MessageText></QueueMessage>" % text
        self._client.send("POST", path, expect=(201,), headers=_CONTENT, content=content, repeatable=True)
