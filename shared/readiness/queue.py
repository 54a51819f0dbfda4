"""How long the oldest message of the sync has waited, in Queue Storage."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage, QueueServiceClient


def oldest_wait(queues: "QueueServiceClient", names: Sequence[str], clock: Callable[[], datetime]) -> float:
    """Return for how many seconds the first message of these queues has waited beyond its time; 0 if none has.

    Raises:
        RetryLater, OperatorMustAct
    """
    with translate_errors():
        first = [message for name in names for message in queues.get_queue_client(name).peek_messages(max_messages=1)]
    planned = [at for message in first if (at := planned_at(message)) is not None]
    return max([0.0, *((clock() - at).total_seconds() for at in planned)])


def planned_at(message: "QueueMessage") -> datetime | None:
    """When a message is to be handled: the time that it carries, or when it was sent.

    None for a message of a mailbox that carries no time and is no continuation: it may have been sent with a delay.
    """
    members = _members(str(message.content))
    scheduled = members.get("scheduled")
    if isinstance(scheduled, int):
        return datetime.fromtimestamp(scheduled, UTC)
    return None if "mailbox" in members and "continuation" not in members else message.inserted_on


def _members(text: str) -> dict[str, Any]:
    """Decode a message; one that is not ours has no members."""
    try:
        members = json.loads(base64.b64decode(text))
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
