"""What is written down of a pass: the mailbox's figures, the run, and the line that alarms and workbook read."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.errors import ActionNeeded, NotFound, PersonMustSignIn
from shared.mailboxes.model import Mailbox
from shared.mailboxes.outbox.events import SYNCED_COUNTS, EventType, new_event, with_event
from shared.mailboxes.port import MailboxRegistry, Run
from shared.mailboxes.transitions import after_failure, after_success
from shared.sync.limits import Limits
from shared.sync.pass_result import PassResult, RunStats

_log = logging.getLogger(__name__)


class RunRecorder:
    """Tells the registry of passes. A mailbox that was erased meanwhile needs nothing any more: it gives None then."""

    def __init__(self, registry: MailboxRegistry, limits: Limits, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._limits = limits
        self._clock = clock

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox | None:
        """Change the mailbox; gives it as it is now."""
        try:
            return self._registry.change(mailbox_id, change)
        except NotFound:
            return None

    def in_progress(self, mailbox_id: str, stats: RunStats) -> Mailbox | None:
        """The pass is under way and has come so far."""
        now = self._clock()
        return self.change(mailbox_id, lambda before: _with_progress(before, stats, now))

    def succeeded(self, mailbox_id: str, result: PassResult, stats: RunStats) -> None:
        """The pass has ended without an error."""
        now = self._clock()
        after = self.change(mailbox_id, lambda before: _with_success(before, result, stats, now))
        self.ended(mailbox_id, outcome_of(result), stats, after, gone=after is None)

    def failed(self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats) -> Mailbox | None:
        """The pass has ended with an error; gives the mailbox as it is now."""
        after = self.change(mailbox.id, partial(self._failed, mailbox.authorization_id, error, stats, self._clock()))
        self.ended(mailbox.id, error.reason, stats, after, error, gone=after is None)
        return after

    def _failed(
        self, authorization_id: str, error: ActionNeeded, stats: RunStats, now: datetime, mailbox: Mailbox
    ) -> Mailbox:
        """A refusal of an authorization that has been replaced while the pass was under way says nothing any more."""
        if isinstance(error, PersonMustSignIn) and mailbox.authorization_id != authorization_id:
            return mailbox
        return _with_failure(mailbox, error, stats, now, self._limits)

    def ended(
        self,
        mailbox_id: str,
        named: str,
        stats: RunStats,
        after: Mailbox | None = None,
        error: ActionNeeded | None = None,
        *,
        gone: bool = False,
    ) -> None:
        """Remember the run, and tell of it in a line: see infra/modules/alerts.bicep.

        `gone`: the mailbox was erased meanwhile, so that no run of it is to be remembered.
        """
        now = self._clock()
        counts = stats.counts
        _log.info(
            "pass ended",
            exc_info=error,
            extra={
                "outcome": str(named),
                "status": after.status.value if after else "",
                "seconds": (now - stats.started_at).total_seconds(),
                "new_items": counts.created,
                "updated": counts.updated,
                "moved": counts.moved,
                "deleted": counts.deleted,
                "bytes": counts.bytes,
                "issues": stats.issues,
            },
        )
        if not gone:
            self._registry.record_run(_run_of(mailbox_id, str(named), stats, now))


def _with_success(mailbox: Mailbox, result: PassResult, stats: RunStats, now: datetime) -> Mailbox:
    """The pass ended without an error. It is complete only when nothing is left to do and nothing was held back."""
    after = _counted(after_success(mailbox, now), stats)
    if not result.finished:
        return after.with_changes(syncing_since=mailbox.syncing_since or stats.started_at)
    after = after.with_changes(syncing_since=None)
    if not result.deletions_blocked:
        after = after.with_changes(first_sync_done=True, complete_as_of=result.scanned_at)
    if result.swept is not None:
        after = after.with_changes(swept_at=now, sweep_missing=result.swept.missing, sweep_extra=result.swept.extra)
    return _with_feed(after, stats, now)


def _with_feed(mailbox: Mailbox, stats: RunStats, now: datetime) -> Mailbox:
    """The feed has come so far; if it has moved on, an event tells so.

    It compares with the last number that an event told, and not with what this pass wrote: so the pages of a pass that
    crashed after it had written them are told of by the next one.
    """
    if stats.sequence == mailbox.feed_sequence:
        return mailbox
    counts = {name: int(getattr(stats.counts, name)) for name in SYNCED_COUNTS}
    pages = {"after": mailbox.feed_sequence, "feed": stats.sequence, "items": mailbox.items}
    complete = mailbox.complete_as_of.isoformat() if mailbox.complete_as_of else ""
    event = new_event(EventType.SYNCED, mailbox, now, **pages, **counts, complete_as_of=complete)
    return with_event(mailbox, event).with_changes(feed_sequence=stats.sequence)


def _with_failure(mailbox: Mailbox, error: ActionNeeded, stats: RunStats, now: datetime, limits: Limits) -> Mailbox:
    """The pass ended with an error; what it wrote before stays."""
    after = after_failure(mailbox, error, now, limits.thresholds, limits.interval)
    return _counted(after, stats).with_changes(syncing_since=None)


def _with_progress(mailbox: Mailbox, stats: RunStats, now: datetime) -> Mailbox:
    """The pass is under way and has written something."""
    after = _counted(mailbox, stats)
    counted_at = now if after.items != mailbox.items else mailbox.counted_at
    return after.with_changes(syncing_since=mailbox.syncing_since or stats.started_at, counted_at=counted_at)


def _run_of(mailbox_id: str, outcome: str, stats: RunStats, now: datetime) -> Run:
    """The pass as it is remembered."""
    return Run(
        mailbox_id=mailbox_id,
        started_at=stats.started_at,
        ended_at=now,
        outcome=outcome,
        created=stats.counts.created,
        updated=stats.counts.updated,
        moved=stats.counts.moved,
        deleted=stats.counts.deleted,
        issues=stats.issues,
        bytes=stats.counts.bytes,
        requests=stats.requests,
        kind=_kind_of(stats),
    )


def _kind_of(stats: RunStats) -> str:
    if stats.is_move:
        return "move"
    return "sweep" if stats.sweep else "pass"


def outcome_of(result: PassResult) -> str:
    """A run's outcome when there was no error."""
    if not result.finished:
        return "continues"
    return "held" if result.deletions_blocked else "done"


def _counted(mailbox: Mailbox, stats: RunStats) -> Mailbox:
    if stats.items is None:
        return mailbox
    in_scope = mailbox.in_scope if stats.in_scope is None else stats.in_scope
    return mailbox.with_changes(
        items=stats.items, issues=stats.issues, in_scope=in_scope, not_provided=stats.not_provided
    )
