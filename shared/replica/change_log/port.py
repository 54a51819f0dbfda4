"""The port of the change log: the order in which the changes of all mailboxes are read.

An entry says that a mailbox's feed has pages up to a number. It is written after the pages, by the pass that wrote them
or, after a crash, by the next one. Its key begins with the time at which it was written. A reader reads up to
`SETTLED_AFTER` before now. An entry that takes longer than `WRITTEN_WITHIN` to write is written once more with a new
time, before anybody relies on it. So no entry appears before one that was read already, as long as the clocks of two
instances differ by less than the rest of SETTLED_AFTER.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

SETTLED_AFTER = timedelta(seconds=30)
"""How old an entry must be before it is read."""
WRITTEN_WITHIN = timedelta(seconds=15)
"""How long writing an entry may take. The rest of SETTLED_AFTER is for clocks that differ."""
KEPT = timedelta(days=30)
"""How long entries are kept. A position that is older is refused; its consumer starts from the beginning."""

_DIGITS = 15


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A mailbox's feed has pages from the one after `known` up to `sequence`. `key` orders the entries."""

    key: str
    mailbox_id: str
    tenant_id: str
    known: int
    sequence: int


def entry_key(at: datetime, mailbox_id: str = "", sequence: int = 0) -> str:
    """The key of an entry of this time; without a mailbox, a key before all entries of this time.

    It has the sequence number, so that two entries of a mailbox in one millisecond do not replace each other.
    """
    time = f"{int(at.timestamp() * 1000):0{_DIGITS}d}-"
    return f"{time}{mailbox_id}-{sequence:010d}" if mailbox_id else time


def time_of(key: str) -> datetime:
    """The time of a key. Raises ValueError."""
    milliseconds, dash, _ = key.partition("-")
    if not dash or len(milliseconds) != _DIGITS or not milliseconds.isdecimal():
        raise ValueError("not a key")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


class ChangeLog(Protocol):
    """The entries of all mailboxes. Safe to use from several threads."""

    def append(self, mailbox_id: str, tenant_id: str, known: int, sequence: int) -> None:
        """Write an entry. When this returns, an entry with these numbers was written in time."""
        ...

    def read(self, after: str, limit: int) -> list[LogEntry]:
        """Return the first settled entries with keys after `after`, at most `limit` (up to 1,000)."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete the entries of before this time; return how many."""
        ...
