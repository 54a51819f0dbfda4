"""An in-memory change log."""

from collections.abc import Callable
from datetime import UTC, datetime

from shared.replica.change_log.port import SETTLED_AFTER, WRITTEN_WITHIN, LogEntry, entry_key, time_of


class FakeChangeLog:
    """Implements ChangeLog. `written` is called after each row, so that a test can let time pass, or crash."""

    def __init__(
        self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), written: Callable[[], None] = lambda: None
    ) -> None:
        self.entries: dict[str, LogEntry] = {}
        self._clock = clock
        self._written = written

    def append(self, mailbox_id: str, tenant_id: str, known: int, sequence: int) -> None:
        """Add entries until one is in time."""
        is_in_time = False
        while not is_in_time:
            now = self._clock()
            key = entry_key(now, mailbox_id, sequence)
            self.entries[key] = LogEntry(key, mailbox_id, tenant_id, known, sequence)
            self._written()
            is_in_time = self._clock() - now < WRITTEN_WITHIN

    def read(self, after: str, limit: int) -> list[LogEntry]:
        """The settled entries after a key."""
        time_of(after)
        until = entry_key(self._clock() - SETTLED_AFTER)
        return [self.entries[key] for key in sorted(self.entries) if after < key < until][:limit]

    def forget(self, before: datetime) -> int:
        """Delete the entries of the hours before."""
        hour = before.replace(minute=0, second=0, microsecond=0)
        old = [key for key in self.entries if time_of(key) < hour]
        for key in old:
            del self.entries[key]
        return len(old)
