"""What a pass's end makes of its mailbox and of its run. Plain rules over plain data."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import ActionNeeded
from shared.mailboxes.life import after_failure, after_success
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import Run
from shared.sync.limits import Limits
from shared.sync.pass_ import Result
from shared.sync.writer import Counts


@dataclass(slots=True)
class Tally:
    """What can be said of a pass at any moment, its failure included."""

    started_at: datetime
    sweep: bool = False
    counts: Counts = field(default_factory=Counts)
    items: int | None = None
    """What the replica holds; None when the pass did not get as far as to know."""
    issues: int = 0
    in_scope: int | None = None
    """What the source reports; None before the first look."""
    requests: int = 0
    sequence: int = 0
    """The cursor's number at the end: what a continuation goes on from."""


def succeeded(mailbox: Mailbox, result: Result, tally: Tally, now: datetime) -> Mailbox:
    """The pass ended without an error. It is complete only when nothing is left to do and nothing was held back."""
    after = _counted(after_success(mailbox, now), tally)
    if not result.finished:
        return after.having(syncing_since=mailbox.syncing_since or tally.started_at)
    after = after.having(syncing_since=None)
    if not result.held:
        after = after.having(first_sync_done=True, complete_as_of=result.looked_at)
    if result.swept is not None:
        after = after.having(swept_at=now, sweep_missing=result.swept.missing, sweep_extra=result.swept.extra)
    return after


def failed(mailbox: Mailbox, error: ActionNeeded, tally: Tally, now: datetime, limits: Limits) -> Mailbox:
    """The pass ended with an error; what it wrote before stays."""
    after = after_failure(mailbox, error, now, limits.thresholds, limits.interval)
    return _counted(after, tally).having(syncing_since=None)


def in_progress(mailbox: Mailbox, tally: Tally) -> Mailbox:
    """The pass is under way and has written something."""
    return _counted(mailbox, tally).having(syncing_since=mailbox.syncing_since or tally.started_at)


def run_of(mailbox_id: str, outcome: str, tally: Tally, now: datetime) -> Run:
    """The pass as it is remembered."""
    return Run(
        mailbox_id=mailbox_id,
        started_at=tally.started_at,
        ended_at=now,
        outcome=outcome,
        created=tally.counts.created,
        updated=tally.counts.updated,
        moved=tally.counts.moved,
        deleted=tally.counts.deleted,
        issues=tally.issues,
        bytes=tally.counts.bytes,
        requests=tally.requests,
        kind="sweep" if tally.sweep else "pass",
    )


def named(result: Result) -> str:
    """A run's outcome when there was no error."""
    if not result.finished:
        return "continues"
    return "held" if result.held else "done"


def _counted(mailbox: Mailbox, tally: Tally) -> Mailbox:
    if tally.items is None:
        return mailbox
    in_scope = mailbox.in_scope if tally.in_scope is None else tally.in_scope
    return mailbox.having(items=tally.items, issues=tally.issues, in_scope=in_scope)
