"""Records a pass: the mailbox's figures, the run, and the log line that alerts and the workbook read."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.errors import ActionNeeded, NotFound, PersonMustSignIn
from shared.mailboxes.model import Mailbox
from shared.mailboxes.outbox.events import SYNCED_COUNTS, EventType, new_event, with_event
from shared.mailboxes.port import MailboxRegistry, Run
from shared.mailboxes.quiet_runs import with_quiet_run
from shared.mailboxes.transitions import after_failure, after_success
from shared.replica.change_log.port import ChangeLog
from shared.replica.reading.port import change_number
from shared.sources.model import SourceName
from shared.sync.limits import Limits
from shared.sync.recording.pass_metrics import kind_of, record_pass
from shared.sync.recording.pass_result import PassResult, RunStats
from shared.sync.state.page_writer import WriteCounts
from shared.sync.state.settled_cursor import SettledCursor

_log = logging.getLogger(__name__)


class RunRecorder:
    """Records passes in the registry. Its methods return None for a mailbox that was erased in the meantime."""

    def __init__(
        self,
        registry: MailboxRegistry,
        limits: Limits,
        clock: Callable[[], datetime],
        change_log: ChangeLog | None = None,
    ) -> None:
        self._registry = registry
        self._change_log = change_log
        self._limits = limits
        self._clock = clock

    def change(
        self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None
    ) -> Mailbox | None:
        """Change the mailbox; returns it as it is now. `known`, the mailbox as last read, saves a read."""
        try:
            return self._registry.change(mailbox_id, change, known)
        except NotFound:
            return None

    def in_progress(self, mailbox_id: str, stats: RunStats) -> Mailbox | None:
        """Record the progress of a running pass; returns the mailbox as it is now."""
        now = self._clock()
        return self.change(mailbox_id, lambda before: _with_progress(before, stats, now))

    def succeeded(self, settled: SettledCursor, result: PassResult, stats: RunStats) -> None:
        """Record a pass that ended without an error. If it found nothing new, only the mailbox's row is written.

        If the pass had lost its lease, and another one has recorded more pages since, its figures stay.
        """
        now = self._clock()
        known = settled.mailbox
        logged = self._logged(known, stats.sequence)

        def change(before: Mailbox) -> Mailbox:
            if _is_overtaken(before, stats):
                return before
            after = settled.settle(_with_success(before, result, stats, now), stats.cursor_etag)
            after = _with_logged(after, logged)
            if _is_quiet(before, after, result, stats):
                return with_quiet_run(after, stats.started_at, now, stats.requests)
            return after

        after = self.change(known.id, change, known)
        is_in_row = after is None or after.quiet_started_at == stats.started_at
        self.ended(known.id, outcome_of(result), stats, after, source=known.source, without_row=is_in_row)

    def failed(self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats) -> Mailbox | None:
        """Record a pass that ended with an error; returns the mailbox as it is now."""
        logged, failed = self._logged(mailbox, stats.sequence), partial(self._failed, mailbox.authorization_id, error)
        now = self._clock()
        after = self.change(mailbox.id, lambda before: _with_logged(failed(stats, now, before), logged))
        self.ended(mailbox.id, error.reason, stats, after, error, source=mailbox.source, without_row=after is None)
        return after

    def feed_grew(self, mailbox: Mailbox, sequence: int) -> None:
        """Record feed pages that were written outside a pass. If this fails, the next pass records them."""
        logged, now = self._logged(mailbox, sequence), self._clock()
        stats = RunStats(now, sequence=sequence)
        self.change(mailbox.id, lambda before: _with_logged(_with_feed(before, stats, now), logged))

    def _logged(self, mailbox: Mailbox, sequence: int) -> int:
        """Add the new feed pages to the change log; returns the number of the last page in it.

        It starts from the last page that was logged, not from what this pass wrote, so that the pages of a pass that
        crashed are logged by the next one. The number is stored only after the entry.
        """
        if self._change_log is None or sequence <= mailbox.logged_sequence:
            return mailbox.logged_sequence
        self._change_log.append(mailbox.id, mailbox.tenant_id, mailbox.logged_sequence, sequence)
        return sequence

    def _failed(
        self, authorization_id: str, error: ActionNeeded, stats: RunStats, now: datetime, mailbox: Mailbox
    ) -> Mailbox:
        """Ignore the refusal of an authorization that was replaced during the pass."""
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
        source: SourceName,
        without_row: bool = False,
    ) -> None:
        """Store the run, log it, and record its metrics: see infra/modules/alerts.bicep.

        `without_row`: the run needs no row, because the mailbox's row has it or was erased meanwhile.
        """
        now = self._clock()
        counts, seconds = stats.counts, (now - stats.started_at).total_seconds()
        record_pass(stats, str(named), source, seconds)
        _log.info(
            "pass ended",
            exc_info=error,
            extra={
                "outcome": str(named),
                "status": after.status.value if after else "",
                "seconds": seconds,
                "new_items": counts.created,
                "updated": counts.updated,
                "moved": counts.moved,
                "deleted": counts.deleted,
                "bytes": counts.bytes,
                "issues": stats.issues,
            },
        )
        if not without_row:
            self._registry.record_run(_run_of(mailbox_id, str(named), stats, now))


def _is_quiet(before: Mailbox, after: Mailbox, result: PassResult, stats: RunStats) -> bool:
    """Whether an ordinary pass found the mailbox in order and nothing new in it, as the one before did."""
    is_ordinary = result.finished and not result.deletions_blocked and kind_of(stats) == "pass"
    nothing = (before.items, before.issues, before.status, "") == (
        after.items,
        after.issues,
        after.status,
        before.reason,
    )
    return is_ordinary and nothing and before.first_sync_done and stats.counts == WriteCounts()


def _is_overtaken(mailbox: Mailbox, stats: RunStats) -> bool:
    """Whether another pass has recorded more pages since this one began, which must have lost its lease."""
    has_ended_since = mailbox.last_pass_at is not None and mailbox.last_pass_at >= stats.started_at
    return has_ended_since and mailbox.feed_sequence > stats.sequence


def _with_success(mailbox: Mailbox, result: PassResult, stats: RunStats, now: datetime) -> Mailbox:
    """Return the mailbox after a pass without an error. The replica is complete if no work and no deletion is left."""
    after = _counted(after_success(mailbox, now), stats)
    if not result.finished:
        return after.with_changes(syncing_since=mailbox.syncing_since or stats.started_at)
    after = after.with_changes(syncing_since=None)
    if not result.deletions_blocked:
        times = [at for at in (mailbox.complete_as_of, result.scanned_at) if at is not None]
        after = after.with_changes(first_sync_done=True, complete_as_of=max(times, default=None))
    if result.swept is not None:
        after = after.with_changes(swept_at=now, sweep_missing=result.swept.missing, sweep_extra=result.swept.extra)
    return _with_feed(after, stats, now)


def _with_feed(mailbox: Mailbox, stats: RunStats, now: datetime) -> Mailbox:
    """Return the mailbox with the feed's present page number, and with an event if the feed has new pages.

    The event starts from the last page that an event named, not from what this pass wrote, so that the pages of a pass
    that crashed are in the event of the next one.
    """
    if stats.sequence == mailbox.feed_sequence:
        return mailbox
    counts = {name: int(getattr(stats.counts, name)) for name in SYNCED_COUNTS}
    position = change_number(mailbox.feed_sequence + 1, 0)
    pages = {"after": mailbox.feed_sequence, "feed": stats.sequence, "changes_after": position, "items": mailbox.items}
    complete = mailbox.complete_as_of.isoformat() if mailbox.complete_as_of else ""
    event = new_event(EventType.SYNCED, mailbox, now, **pages, **counts, complete_as_of=complete)
    return with_event(mailbox, event).with_changes(feed_sequence=stats.sequence)


def _with_logged(mailbox: Mailbox, sequence: int) -> Mailbox:
    """Return the mailbox with the number of the last page in the change log. A paused worker may know an old one."""
    return mailbox.with_changes(logged_sequence=max(mailbox.logged_sequence, sequence))


def _with_failure(mailbox: Mailbox, error: ActionNeeded, stats: RunStats, now: datetime, limits: Limits) -> Mailbox:
    """Return the mailbox after a pass with an error; what the pass wrote before stays."""
    after = after_failure(mailbox, error, now, limits.thresholds, limits.interval)
    return _counted(after, stats).with_changes(syncing_since=None)


def _with_progress(mailbox: Mailbox, stats: RunStats, now: datetime) -> Mailbox:
    """Return the mailbox during a pass that has written something."""
    after = _counted(mailbox, stats)
    counted_at = now if after.items != mailbox.items else mailbox.counted_at
    return after.with_changes(syncing_since=mailbox.syncing_since or stats.started_at, counted_at=counted_at)


def _run_of(mailbox_id: str, outcome: str, stats: RunStats, now: datetime) -> Run:
    """Return the record of the pass."""
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
        kind=kind_of(stats),
    )


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
        items=stats.items,
        issues=stats.issues,
        in_scope=in_scope,
        not_provided=stats.not_provided,
        private_left_out=stats.private_left_out,
    )
