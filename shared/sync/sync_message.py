"""The queue message about one mailbox, as the engine handles it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """A message about a mailbox. One that follows is sent after the lease is released, or it could find it held."""

    delay: timedelta = timedelta()
    continuation: int | None = None
    sweep: bool = False
    scheduled: datetime | None = None
    """When the dispatch wanted the pass. If a pass has ended since, the message needs nothing more."""
