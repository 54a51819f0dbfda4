"""An in-memory fake of the two queues."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message about a mailbox."""

    mailbox_id: str
    delay_seconds: int = 0
    continuation: int | None = None
    sweep: bool = False
    scheduled: datetime | None = None


class FakeQueue:
    """Implements SyncQueue. Sent messages are in `shards` and `mailboxes`, oldest first."""

    def __init__(self) -> None:
        self.shards: deque[tuple[int, bool]] = deque()
        self.mailboxes: deque[Message] = deque()

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Append the message."""
        self.shards.append((shard, sweep))

    def send_mailbox(
        self,
        mailbox_id: str,
        *,
        delay_seconds: int = 0,
        continuation: int | None = None,
        sweep: bool = False,
        scheduled: datetime | None = None,
    ) -> None:
        """Append the message."""
        self.mailboxes.append(Message(mailbox_id, delay_seconds, continuation, sweep, scheduled))
