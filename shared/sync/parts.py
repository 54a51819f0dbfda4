"""Work that takes several passes: which folders the parts before have read, so that every part gets further.

Without this a mailbox whose folders have no marks, and so are asked every time, could spend each pass's whole budget on
asking the same folders again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.sync.ledger import Ledger
from shared.sync.limits import Limits

NOTE = "part"
"""In the cursor's notes: when the first part looked, and the ids of the folders read to their end since."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the parts before have done. The whole will be complete as of the first one's look."""

    since: datetime
    read: tuple[str, ...]


def under_way(ledger: Ledger, now: datetime, limits: Limits) -> Part | None:
    """The work that this pass goes on with; older than an interval it is begun anew."""
    note = ledger.notes.get(NOTE)
    if not isinstance(note, Mapping):
        return None
    since = datetime.fromisoformat(str(note["since"]))
    return Part(since, tuple(map(str, note["read"]))) if now - since < limits.interval else None


def keep(ledger: Ledger, read: Iterable[str], since: datetime) -> None:
    """Leave the rest to the next part."""
    ledger.note(NOTE, {"since": since.astimezone(UTC).isoformat(), "read": sorted(read)})
