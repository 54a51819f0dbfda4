"""The result of a pass, and its figures, which are available at any moment and after a failure."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.sync.state.page_writer import WriteCounts


@dataclass(frozen=True, slots=True)
class SweepFigures:
    """What a finished daily sweep found: missing or outdated items, and items that should not be in the replica."""

    missing: int
    extra: int


@dataclass(frozen=True, slots=True)
class PassResult:
    """The result of a pass that ended without an error."""

    finished: bool = False
    """Whether all work is done; if not, a continuation is needed."""
    deletions_blocked: bool = False
    """Whether the safety stop blocked deletions."""
    scanned_at: datetime | None = None
    """The time as of which the replica is complete, if the pass is finished."""
    swept: SweepFigures | None = None
    """The figures of the daily sweep, if one was finished in this pass."""


@dataclass(frozen=True, slots=True)
class RunStats:
    """The figures of a pass, so far."""

    started_at: datetime
    sweep: bool = False
    is_move: bool = False
    """Whether it is the part of a pass that moves the mailbox between its sources."""
    counts: WriteCounts = field(default_factory=WriteCounts)
    items: int | None = None
    """How many items the replica holds; None if the pass ended before it knew."""
    issues: int = 0
    in_scope: int | None = None
    """How many items the source reports in scope; None before the first scan."""
    not_provided: int = 0
    """How many items the folders count but the source does not list."""
    private_left_out: int = 0
    """How many items were met that are not copied because they are private."""
    requests: int = 0
    sequence: int = 0
    """The cursor's sequence number at the end; a continuation starts from it."""
    cursor_etag: str = ""
    """The stored cursor's ETag at the end."""
