"""Handles one queue message about one mailbox: lease, cursor, access, a pass within its budget, and its outcome."""

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.authorization.port import AccessTokens
from shared.errors import ActionNeeded, Conflict, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes.model import SYNCED, Mailbox, is_due, is_overtaken, is_own
from shared.mailboxes.moves import VERDICT, asked_to_move
from shared.mailboxes.port import Lease, Leases, MailboxRegistry, SyncQueue
from shared.mailboxes.transitions import read_by
from shared.replica.change_log.port import ChangeLog
from shared.replica.port import Replica
from shared.sources.port import MailSources, SourceName
from shared.sources.selection import MoveSchedule, is_blocked
from shared.sync.address_update import new_address, update_address
from shared.sync.backoff import ProcessBackOff, wait_after
from shared.sync.budget import Budget, LeaseLost
from shared.sync.limits import Limits
from shared.sync.maintenance import Maintenance
from shared.sync.moving.mover import Mover, MoveStep
from shared.sync.pass_metrics import record_back_off
from shared.sync.pass_opening import PassOpener
from shared.sync.pass_result import PassResult, RunStats
from shared.sync.port import TenantBackOff
from shared.sync.run_recorder import RunRecorder
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor

_log = logging.getLogger(__name__)

SWEEP_AGAIN = timedelta(minutes=5)
"""When a sweep is tried again that found the mailbox leased."""

ABOUT_NOW = timedelta(minutes=1)
"""How much earlier than its mailbox is due a message may arrive."""


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """A message about a mailbox. One that follows is sent after the lease is released, or it could find it held."""

    delay: timedelta = timedelta()
    continuation: int | None = None
    sweep: bool = False
    scheduled: datetime | None = None
    """When the dispatch wanted the pass. If a pass has ended since, the message needs nothing more."""


class SyncEngine:
    """Syncs mailboxes, one message at a time. Safe to use from several threads for different mailboxes."""

    def __init__(
        self,
        *,
        sources: MailSources,
        replica: Replica,
        registry: MailboxRegistry,
        leases: Leases,
        queue: SyncQueue,
        access_tokens: AccessTokens,
        scope_of: Callable[[Mailbox], Scope],
        limits: Limits,
        back_off: TenantBackOff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        source_after: Callable[[SourceName, ActionNeeded], SourceName] = lambda source, _: source,
        move_schedule: MoveSchedule | None = None,
        spread_offset: Callable[[str], float] = lambda _: 0.0,
        change_log: ChangeLog | None = None,
    ) -> None:
        self._source_after = source_after
        self._replica = replica
        self._registry = registry
        self._leases = leases
        self._queue = queue
        self._access_tokens = access_tokens
        self._limits = limits
        self._recorder = RunRecorder(registry, limits, clock, change_log)
        self._passes = PassOpener(
            sources=sources,
            replica=replica,
            registry=registry,
            recorder=self._recorder,
            scope_of=scope_of,
            limits=limits,
            clock=clock,
            monotonic=monotonic,
        )
        self._maintenance = Maintenance(
            replica=replica, registry=registry, scope_of=scope_of, limits=limits, clock=clock
        )
        self._back_off = back_off or ProcessBackOff()
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._mover = Mover(
            sources=sources,
            replica=replica,
            registry=registry,
            recorder=self._recorder,
            access_tokens=access_tokens,
            scope_of=scope_of,
            limits=limits,
            clock=clock,
            schedule=move_schedule,
            offset=spread_offset,
        )

    def sync(
        self,
        mailbox_id: str,
        continuation: int | None = None,
        scheduled: datetime | None = None,
        *,
        sweep: bool = False,
    ) -> None:
        """Run one pass, or with `sweep` one part of the daily sweep: maintain, then compare every folder and repair.

        Nothing is done for a mailbox that is gone, stopped, or leased, for a stale continuation, and for a message that
        the dispatch `scheduled` before the last pass ended. The exception is the sweep of a stopped mailbox: it
        does the maintenance, because what is deleted has to be removed within days.

        Raises:
            OperatorMustAct: our own fault, after it was recorded; the queue redelivers and the alarm sees it.
        """
        message = SyncMessage(continuation=continuation, sweep=sweep, scheduled=scheduled)
        lease = self._leases.acquire(mailbox_id)
        if lease is None:
            # Usually a pass is running. It does for this message, unless this one asks for a sweep.
            if sweep and (mailbox := self._found(mailbox_id)) and self._is_needed(mailbox, message):
                self._send(mailbox_id, replace(message, delay=SWEEP_AGAIN))
            return
        following = None
        try:
            # Read under the lease: before, the mailbox may still be erased or stopped.
            mailbox = self._found(mailbox_id)
            if mailbox is not None and self._is_needed(mailbox, message):
                following = self._handle(mailbox, lease, message)
        finally:
            lease.release()
        if mailbox is None:
            self._leases.forget(mailbox_id)
        if following is not None:
            self._send(mailbox_id, following)

    def _handle(self, mailbox: Mailbox, lease: Lease, message: SyncMessage) -> SyncMessage | None:
        """Do what the message asks for; returns the message that follows, if any."""
        if not self._is_ready(mailbox, message):
            self._maintain(mailbox, lease)
            return None
        wait = self._tenant_wait(mailbox)
        if wait is not None:
            return replace(message, delay=wait, continuation=None)
        return self._run(mailbox, lease, message)

    def _found(self, mailbox_id: str) -> Mailbox | None:
        """Return the mailbox, or None if there is none (any more)."""
        try:
            return self._registry.get(mailbox_id)
        except NotFound:
            return None

    def _is_needed(self, mailbox: Mailbox, message: SyncMessage) -> bool:
        """Whether there is something to do for the message."""
        if is_overtaken(mailbox, message.scheduled, sweep=message.sweep):
            return False
        return self._is_ready(mailbox, message) or (message.sweep and self._is_idle(mailbox))

    def _is_ready(self, mailbox: Mailbox, message: SyncMessage) -> bool:
        """Whether to ask the mail server. A sweep waits until the first sync is done and the mailbox is due."""
        if message.sweep:
            return mailbox.first_sync_done and is_due(mailbox, self._clock() + ABOUT_NOW)
        return mailbox.status in SYNCED

    def _is_idle(self, mailbox: Mailbox) -> bool:
        """Whether no pass is expected now. A compaction must not take the lease that a first sync needs."""
        return mailbox.erasing_since is None and not is_due(mailbox, self._clock() + ABOUT_NOW)

    def _maintain(self, mailbox: Mailbox, lease: Lease) -> None:
        """Maintain the replica of a mailbox that is not read now."""
        settled = SettledCursor(mailbox, self._registry, self._clock)
        self._maintenance.compact(mailbox)
        try:
            cursor = self._replica.load(mailbox.id, settled.etag)
            after = self._maintenance.expire(settled, cursor, lease)
        except LeaseLost:
            _log.warning("maintenance stopped without its lease")
            return
        except Conflict as exc:
            raise RetryLater(Reason.CONFLICT, "another writer moved on") from exc
        if after.sequence != cursor.sequence:
            self._recorder.feed_grew(settled.mailbox, after.sequence)

    def _tenant_wait(self, mailbox: Mailbox) -> timedelta | None:
        """How long the tenant's server asked us to wait, if it did. The mailbox is then not due before that."""
        now = self._clock()
        until = self._back_off.until(mailbox.tenant_id)
        if until is None or until <= now:
            return None
        wait = (until - now) * (1 + self._jitter())
        self._recorder.change(
            mailbox.id, lambda before: before.with_changes(due_at=max(before.due_at or until, now + wait))
        )
        return wait

    def _send(self, mailbox_id: str, following: SyncMessage) -> None:
        self._queue.send_mailbox(
            mailbox_id,
            # Rounded up: a message that arrives too early would be sent again and again until it is time.
            delay_seconds=math.ceil(following.delay.total_seconds()),
            continuation=following.continuation,
            sweep=following.sweep,
            scheduled=following.scheduled,
        )

    def _run(self, mailbox: Mailbox, lease: Lease, message: SyncMessage) -> SyncMessage | None:
        """Run the pass and record its outcome; returns the message that follows, if any."""
        stats, step = RunStats(self._clock(), sweep=message.sweep), None
        settled = SettledCursor(mailbox, self._registry, self._clock)
        try:
            if message.sweep:
                self._maintenance.compact(mailbox)
            cursor = self._replica.load(mailbox.id, settled.etag)
            if message.continuation not in (None, cursor.sequence):
                return None
            if message.sweep:
                cursor = self._maintenance.expire(settled, cursor, lease)
            stats = replace(stats, sequence=cursor.sequence)
            budget = Budget(self._limits.budget_seconds, lease, self._monotonic)
            step = self._mover.advance(settled, cursor, budget, stats)
            if step.goes_on:
                return SyncMessage(continuation=step.cursor.sequence)
            access = self._access_tokens.access(
                mailbox.authorization_id, mailbox.address, step.source, own=is_own(mailbox)
            )
            one_pass = self._passes.open(settled, step.cursor, stats, access, budget)
            try:
                result = one_pass.run()
                address = new_address(mailbox, result, one_pass.source)
            finally:
                stats = one_pass.close()
            update_address(mailbox, address, registry=self._registry, recorder=self._recorder)
        except LeaseLost:
            _log.warning("pass stopped without its lease")
            return None
        except Conflict:
            return self._after_error(mailbox, RetryLater(Reason.CONFLICT, "another writer moved on"), stats, message)
        except ActionNeeded as error:
            return self._after_refusal(mailbox, step, error, stats, message)
        except Exception:
            self._recorder.ended(mailbox.id, Reason.INTERNAL, stats, source=mailbox.source)
            raise
        stats = replace(stats, sweep=stats.sweep or result.swept is not None)
        return self._after_success(settled, result, stats)

    def _after_success(self, settled: SettledCursor, result: PassResult, stats: RunStats) -> SyncMessage | None:
        """Record the pass. If that fails and work is left, the continuation records it; this message is stale."""
        following = None if result.finished else SyncMessage(continuation=stats.sequence)
        try:
            self._recorder.succeeded(settled, result, stats)
        except RetryLater as error:
            if following is None:
                raise
            _log.warning("pass not recorded", exc_info=error)
        return following

    def _has_changed_source(self, mailbox: Mailbox, step: MoveStep, error: ActionNeeded) -> bool:
        """Whether another source reads the mailbox from now on, because this one refuses it.

        A mailbox that has folders already is moved. A move that has just failed is not requested again at once.
        """
        source = self._source_after(step.source, error)
        if source is step.source:
            return False
        if not step.cursor.folders:
            after = self._recorder.change(mailbox.id, lambda before: read_by(before, source))
            return after is not None and after.source is source
        if step.was_tried or (mailbox.moving_to is source and mailbox.move_blocked):
            return False
        after = self._recorder.change(mailbox.id, lambda before: asked_to_move(before, source, VERDICT))
        return after is not None and after.moving_to is source

    def _after_refusal(
        self, mailbox: Mailbox, step: MoveStep | None, error: ActionNeeded, stats: RunStats, message: SyncMessage
    ) -> SyncMessage | None:
        """Change to the other source if this one refuses the mailbox; record every other error."""
        if step is None:
            return self._after_error(mailbox, error, stats, message)
        if self._has_changed_source(mailbox, step, error):
            return SyncMessage()
        return self._after_error(mailbox, _error_to_report(error, step.error), stats, message)

    def _after_error(
        self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats, message: SyncMessage
    ) -> SyncMessage | None:
        """Record an error. Its type says who acts: nobody (the message is sent again), a person, or the operator."""
        after = self._recorder.failed(mailbox, error, stats)
        now = self._clock()
        if isinstance(error, OperatorMustAct):
            raise error
        if not isinstance(error, RetryLater) or after is None or after.status not in SYNCED:
            return None
        wait = wait_after(error, mailbox, self._limits, self._jitter())
        record_back_off(error, wait)
        if error.tenant_wide:
            self._back_off.extend(mailbox.tenant_id, now + wait)
        self._recorder.change(mailbox.id, lambda before: before.with_changes(due_at=now + wait))
        return SyncMessage(delay=wait, sweep=message.sweep)


def _error_to_report(error: ActionNeeded, of_move: ActionNeeded | None) -> ActionNeeded:
    """Return why the mailbox cannot move to the other source, if its own source is blocked; else the pass's error."""
    return of_move if of_move is not None and is_blocked(error) else error
