"""The limits of a pass. Some come from the settings; the others are fixed, with the reason given for each."""

from dataclasses import dataclass, field
from datetime import timedelta

from shared.mailboxes.transitions import Thresholds


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations, sizes, and counts that limit a pass. Immutable; one instance per process."""

    budget_seconds: float = 240
    """How long a pass works before it commits and asks for its continuation."""
    interval: timedelta = timedelta(minutes=30)
    """How often a mailbox is due."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """After how many failures a person, an administrator, or an operator is asked to act."""
    deleted_days: int = 7
    """Within how many days a deleted item's bytes are removed from the packs."""
    runs_kept: timedelta = timedelta(days=90)
    """How long the record of a pass is kept: 48 a day are 4,320 small rows per mailbox."""
    occurrence_days_back: int = 14
    occurrence_days_ahead: int = 365

    page_items: int = 250
    """Items in a feed page: two and a half table transactions, one pack."""
    first_page_items: int = 25
    """The same for the first page of each pass of a first sync."""
    page_bytes: int = 12 * 1024 * 1024
    """Bytes of content in a feed page. At most three pages are in memory: being filled, waiting, and being written."""
    pages_ahead: int = 1
    """How many pages may wait for the writer while the next items are fetched."""
    round_changes: int = 4000
    """How many changes are read before they are resolved together: moves are recognized within a round."""
    overlap: bool = True
    """Whether fetching and writing run concurrently. Without it a pass is a deterministic sequence."""

    remembered_deletions: int = 100
    """Deletions remembered, so that a move is recognized when the item arrives later. Each takes 600 bytes."""
    remembered_for: timedelta = timedelta(hours=24)

    change_token_resolution: timedelta = timedelta(seconds=5)
    """A change token may have a resolution of one second, so another commit in that second can have the same token."""
    clocks_apart: timedelta = timedelta(minutes=15)
    """The largest difference between the source's clock and ours that is allowed for when a token's time is used."""

    plenty: int = 50
    """The safety stop does not protect a replica with fewer items, because it is quickly read again."""
    vanishing_share: float = 0.5
    """The safety stop blocks deletions when at least this share of a replica would be deleted in one pass."""

    issue_delays: tuple[timedelta, ...] = (
        timedelta(minutes=25),
        timedelta(hours=2),
        timedelta(hours=8),
        timedelta(hours=24),
    )
    """The delay before the next try after an item's first, second, … failure; the last one repeats forever."""
    issues_a_pass: int = 500
    """How many failed items are tried again in one pass, at most."""

    compared_together: int = 20_000
    """How many items the folders have, at most, that a sweep compares together: eighteen bytes in memory for each.
    With 0, every folder is compared alone."""
    confirmed_a_folder: int = 50
    """How many assumed contents a daily comparison downloads per folder; the rest waits for the next day."""

    shortest_wait: timedelta = timedelta(seconds=30)
    """The shortest delay after a failure that needs nobody to act."""
    longest_wait: timedelta = timedelta(hours=2)
    """The longest delay: a server that asks for more time is still asked once in between."""
    stuck_after: timedelta = timedelta(minutes=4)
    """A delay this long follows four failures in a row. One item may be the cause, so failures are isolated."""
    progress_seconds: float = 2
    """How often, in seconds, a running pass reports figures for the person's page."""
