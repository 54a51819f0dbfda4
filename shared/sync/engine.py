"""Handles one queue message about one mailbox: lease, cursor, access, a pass within its budget, and its outcome."""

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.authorization.port import AccessTokens
from shared.errors import ActionNeeded, Conflict, NotFound, Reason, RetryLater
from shared.mailboxes.model import SYNCED, Mailbox, is_due, is_overtaken, is_own
from shared.mailboxes.port import Lease, Leases, MailboxRegistry, SyncQueue
from shared.replica.change_log.port import ChangeLog
from shared.replica.port import Replica
from shared.sources.model import SourceName
from shared.sources.port import MailSources
from shared.sources.selection import MoveSchedule
from shared.sync.address_update import new_address, update_address
from shared.sync.back_off.port import TenantBackOff
from shared.sync.back_off.waits import ProcessBackOff
from shared.sync.budget import Budget, LeaseLost
from shared.sync.failure_handler import FailureHandler
from shared.sync.limits import Limits
from shared.sync.maintenance import Maintenance
from shared.sync.moving.mover import Mover
from shared.sync.pass_opening import PassOpener
from shared.sync.recording.pass_result import PassResult, RunStats
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor
from shared.sync.sync_message import SyncMessage

_log = logging.getLogger(__name__)

SWEEP_AGAIN = timedelta(minutes=5)
"""When a sweep is tried again that found the mailbox leased."""

ABOUT_NOW = timedelta(minutes=1)
"""How much earlier than its mailbox is due a message may arrive."""


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
            replica=replica,
            registry=registry,
            recorder=self._recorder,
            scope_of=scope_of,
            limits=limits,
            clock=clock,
        )
        self._back_off = back_off or ProcessBackOff()
        self._failures = FailureHandler(
            recorder=self._recorder,
            back_off=self._back_off,
            limits=limits,
            clock=clock,
            jitter=jitter,
            source_after=source_after,
            is_renewed=access_tokens.is_renewed,
        )
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
            RetryLater: storage failed while a stopped mailbox was maintained, or a last pass was recorded; the queue
                redelivers.
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
            self._maintenance.maintain(mailbox, lease)
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
            conflict = RetryLater(Reason.CONFLICT, "another writer moved on")
            return self._failures.record(mailbox, conflict, stats, message)
        except ActionNeeded as error:
            return self._failures.handle(mailbox, step, error, stats, message)
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
