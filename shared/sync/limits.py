"""The numbers that bound a pass: those an operator may turn come from the settings, the others have their reasons."""

from dataclasses import dataclass, field
from datetime import timedelta

from shared.mailboxes.transitions import Thresholds


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how much and how often. Immutable; one for the whole process."""

    budget_seconds: float = 240
    """How long a pass works before it commits where it is and asks for its continuation."""
    interval: timedelta = timedelta(minutes=30)
    """How often a mailbox is due."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """After how many failures somebody is asked."""
    deleted_days: int = 7
    """Within so many days a deleted item's bytes are gone from the packs."""
    runs_kept: timedelta = timedelta(days=90)
    """How long a pass is remembered: 48 a day are 4,320 small rows a mailbox."""
    occurrence_days_back: int = 14
    occurrence_days_ahead: int = 365

    page_items: int = 250
    """Items in a feed page: two and a half table transactions, one pack."""
    first_page_items: int = 25
    """The same for the first page of each pass of a first sync."""
    page_bytes: int = 12 * 1024 * 1024
    """Content in a feed page. With one page being written and one waiting, three such are in memory at most."""
    pages_ahead: int = 1
    """Pages that may wait for the writer while more is fetched."""
    round_changes: int = 4000
    """Changes read before they are resolved together: moves are recognized within a round."""
    overlap: bool = True
    """Whether fetching and writing run side by side. Off, a pass is a sequence that can be repeated exactly."""

    remembered_deletions: int = 100
    """Deletions kept in mind so that a move whose other side comes later is still a move. Each costs 600 bytes."""
    remembered_for: timedelta = timedelta(hours=24)

    mark_resolution: timedelta = timedelta(seconds=5)
    """A mark may have a resolution of one second: a commit within it can hide behind the same mark."""
    clocks_apart: timedelta = timedelta(minutes=15)
    """How far the source's clock and ours may disagree before a mark's time means nothing."""

    plenty: int = 50
    """A replica with fewer items than this is never protected by the safety stop: it is quickly read again."""
    vanishing_share: float = 0.5
    """The safety stop holds when this part of a replica would go in one pass."""

    issue_delays: tuple[timedelta, ...] = (
        timedelta(minutes=25),
        timedelta(hours=2),
        timedelta(hours=8),
        timedelta(hours=24),
    )
    """How long a failed item is left alone after its first, second... failure; the last goes on for ever."""
    issues_a_pass: int = 500
    """How many failed items are tried again in one pass."""

    confirmed_a_folder: int = 50
    """How many assumed contents a daily comparison downloads in one folder; the others wait for the next day."""

    shortest_wait: timedelta = timedelta(seconds=30)
    """The least delay after a failure that cures itself."""
    longest_wait: timedelta = timedelta(hours=2)
    """The most: a server that names a longer time is asked once in between."""
    stuck_after: timedelta = timedelta(minutes=4)
    """A wait as long as this follows four failures in a row: one item may be the cause, and is looked for."""
    progress_seconds: float = 2
    """How often the person's page gets new figures while a pass is under way."""
