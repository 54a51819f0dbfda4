"""What a pass came to, and what can be said of it at any moment, its failure included."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.sync.state.page_writer import Counts


@dataclass(frozen=True, slots=True)
class SweepFigures:
    """What a finished daily sweep found: items missing or outdated, and items that had no right to be there."""

    missing: int
    extra: int


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass came to that ended without an error."""

    finished: bool = False
    """Everything there was to do is done; else the continuation is to be asked for."""
    deletions_blocked: bool = False
    """The safety stop held deletions back."""
    scanned_at: datetime | None = None
    """What the replica is complete as of if the pass is finished."""
    swept: SweepFigures | None = None
    """A daily sweep came to its end in this pass."""


@dataclass(frozen=True, slots=True)
class RunStats:
    """The figures of a pass, so far."""

    started_at: datetime
    sweep: bool = False
    counts: Counts = field(default_factory=Counts)
    items: int | None = None
    """What the replica holds; None when the pass did not get as far as to know."""
    issues: int = 0
    in_scope: int | None = None
    """What the source reports; None before the first scan."""
    not_provided: int = 0
    """What the folders count and the source does not give."""
    requests: int = 0
    sequence: int = 0
    """The cursor's number at the end: what a continuation goes on from."""
