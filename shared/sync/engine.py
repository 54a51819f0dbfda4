"""One queue message about one mailbox: lease, cursor, access, a pass within its budget, and what comes of it."""

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
from shared.replica.port import Replica
from shared.sources.port import MailSources, SourceName
from shared.sources.selection import MoveSchedule, is_blocked
from shared.sync.backoff import ProcessBackOff, wait_after
from shared.sync.budget import Budget, LeaseLost
from shared.sync.limits import Limits
from shared.sync.mailbox_sync import MailboxSync
from shared.sync.moving.mover import Mover, MoveStep
from shared.sync.pass_opening import open_pass
from shared.sync.pass_result import PassResult, RunStats
from shared.sync.port import TenantBackOff
from shared.sync.run_recorder import RunRecorder
from shared.sync.scope import Scope

_log = logging.getLogger(__name__)

SWEEP_AGAIN = 300
"""Seconds until a sweep is tried again that found a pass under way."""

ABOUT_NOW = timedelta(minutes=1)
"""A message that was to come when its mailbox is due may come a little earlier."""


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """The message to send when the lease has been given back: sent earlier it could find the mailbox still held."""

    delay: timedelta = timedelta()
    continuation: int | None = None
    sweep: bool = False
    scheduled: datetime | None = None
    """When the dispatch wanted it; a pass that has ended since does for it."""


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
        scope: Scope,
        limits: Limits,
        back_off: TenantBackOff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        source_after: Callable[[SourceName, ActionNeeded], SourceName] = lambda source, _: source,
        move_schedule: MoveSchedule | None = None,
        spread_offset: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        self._source_after = source_after
        self._sources = sources
        self._replica = replica
        self._registry = registry
        self._leases = leases
        self._queue = queue
        self._access_tokens = access_tokens
        self._scope = scope
        self._limits = limits
        self._recorder = RunRecorder(registry, limits, clock)
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
            scope=scope,
            limits=limits,
            clock=clock,
            schedule=move_schedule,
            offset=spread_offset,
        )

    def sync(self, mailbox_id: str, continuation: int | None = None, scheduled: datetime | None = None) -> None:
        """One pass. A mailbox that is gone, stopped or under way, and a stale continuation, end at once.

        So does a message that the dispatch `scheduled`, if a pass has ended since.

        Raises:
            OperatorMustAct: our own fault, after it was recorded; the queue redelivers and the alarm sees it.
        """
        self._receive(mailbox_id, SyncMessage(continuation=continuation, scheduled=scheduled))

    def sweep(self, mailbox_id: str, scheduled: datetime | None = None) -> None:
        """The daily sweep: packs compacted, then every folder compared with the replica, and differences repaired.

        What was deleted is promised to be gone within days, also from a mailbox that is stopped, or whose server lets
        nobody in: of such a one the packs are compacted and nothing else is done.
        """
        self._receive(mailbox_id, SyncMessage(sweep=True, scheduled=scheduled))

    def _receive(self, mailbox_id: str, message: SyncMessage) -> None:
        try:
            mailbox = self._registry.get(mailbox_id)
        except NotFound:
            return
        if is_overtaken(mailbox, message.scheduled, sweep=message.sweep):
            return
        ready = self._is_ready(mailbox, message)
        if not ready and not (message.sweep and self._rests(mailbox)):
            return
        if ready and self._waits_with_its_tenant(mailbox, message):
            return
        lease = self._leases.acquire(mailbox_id)
        if lease is None:
            if message.sweep:
                self._send(mailbox_id, replace(message, delay=timedelta(seconds=SWEEP_AGAIN)))
            return
        following = None
        try:
            following = self._under_lease(mailbox_id, lease, message)
        finally:
            lease.release()
        if following is not None:
            self._send(mailbox_id, following)

    def _under_lease(self, mailbox_id: str, lease: Lease, message: SyncMessage) -> SyncMessage | None:
        """Read the mailbox again, for it may have been erased or stopped since, and do what the message asks for."""
        try:
            mailbox = self._registry.get(mailbox_id)
        except NotFound:
            return None
        if is_overtaken(mailbox, message.scheduled, sweep=message.sweep):
            return None
        if self._is_ready(mailbox, message):
            return self._run(mailbox, lease, message)
        if message.sweep and self._rests(mailbox):
            self._compact(mailbox_id)
        return None

    def _is_ready(self, mailbox: Mailbox, message: SyncMessage) -> bool:
        """Whether its mail server is to be asked. A sweep waits for the first sync, and for whatever has to pass."""
        if message.sweep:
            return mailbox.first_sync_done and is_due(mailbox, self._clock() + ABOUT_NOW)
        return mailbox.status in SYNCED

    def _rests(self, mailbox: Mailbox) -> bool:
        """Whether no pass is to be expected. A first sync under way must not find its lease taken by a compaction."""
        return mailbox.erasing_since is None and not is_due(mailbox, self._clock() + ABOUT_NOW)

    def _compact(self, mailbox_id: str) -> None:
        """What needs no mail server: free what deleted items have left, forget passes of long ago."""
        self._replica.compact(mailbox_id, self._clock(), self._limits.deleted_days)
        self._registry.forget_runs(mailbox_id, self._clock() - self._limits.runs_kept)

    def _waits_with_its_tenant(self, mailbox: Mailbox, message: SyncMessage) -> bool:
        """Whether the tenant's server asked to be left alone; the message comes again when that is over."""
        now = self._clock()
        until = self._back_off.until(mailbox.tenant_id)
        if until is None or until <= now:
            return False
        wait = (until - now) * (1 + self._jitter())
        self._recorder.change(
            mailbox.id, lambda before: before.with_changes(due_at=max(before.due_at or until, now + wait))
        )
        self._send(mailbox.id, replace(message, delay=wait, continuation=None))
        return True

    def _send(self, mailbox_id: str, following: SyncMessage) -> None:
        self._queue.send_mailbox(
            mailbox_id,
            # Rounded up: one that came too early would be sent again and again until it is time.
            delay_seconds=math.ceil(following.delay.total_seconds()),
            continuation=following.continuation,
            sweep=following.sweep,
            scheduled=following.scheduled,
        )

    def _run(self, mailbox: Mailbox, lease: Lease, message: SyncMessage) -> SyncMessage | None:
        """The pass and its outcome; gives the message that follows."""
        stats, step = RunStats(self._clock(), sweep=message.sweep), None
        try:
            if message.sweep:
                self._compact(mailbox.id)
            cursor = self._replica.load(mailbox.id)
            if message.continuation not in (None, cursor.sequence):
                return None
            budget = Budget(self._limits.budget_seconds, lease, self._monotonic)
            step = self._mover.advance(mailbox, cursor, budget, stats)
            if step.goes_on:
                return SyncMessage(continuation=step.cursor.sequence)
            one_pass = self._open(mailbox, step, budget, stats)
            try:
                result = one_pass.run()
            finally:
                stats = one_pass.close()
        except LeaseLost:
            _log.warning("lease lost, pass abandoned")
            return None
        except Conflict:
            return self._after_error(mailbox, RetryLater(Reason.CONFLICT, "another writer moved on"), stats, message)
        except ActionNeeded as error:
            return self._after_refusal(mailbox, step, error, stats, message)
        except Exception:
            self._recorder.ended(mailbox.id, Reason.INTERNAL, stats)
            raise
        stats = replace(stats, sweep=stats.sweep or result.swept is not None)
        return self._after_success(mailbox.id, result, stats)

    def _open(self, mailbox: Mailbox, step: MoveStep, budget: Budget, stats: RunStats) -> MailboxSync:
        """The pass over the source that the cursor names, ready to run, with an access token of now."""
        return open_pass(
            mailbox,
            step.cursor,
            stats,
            access=self._access_tokens.access(
                mailbox.authorization_id, mailbox.address, step.source, own=is_own(mailbox)
            ),
            sources=self._sources,
            replica=self._replica,
            registry=self._registry,
            recorder=self._recorder,
            scope=self._scope,
            limits=self._limits,
            budget=budget,
            clock=self._clock,
            monotonic=self._monotonic,
        )

    def _after_success(self, mailbox_id: str, result: PassResult, stats: RunStats) -> SyncMessage | None:
        """What could not be noted is noted by the continuation: brought again, this message would be stale."""
        following = None if result.finished else SyncMessage(continuation=stats.sequence)
        try:
            self._recorder.succeeded(mailbox_id, result, stats)
        except RetryLater as error:
            if following is None:
                raise
            _log.warning("pass not recorded", exc_info=error)
        return following

    def _has_changed_source(self, mailbox: Mailbox, step: MoveStep, error: ActionNeeded) -> bool:
        """Whether the mailbox is to be read by another source, because this one does not serve it any more.

        One that has been read already is moved, with all that follows. A move that was tried in vain is not asked for
        again at once.
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
        """A source that is closed is left for the other one; whatever else ended the pass is recorded."""
        if step is None:
            return self._after_error(mailbox, error, stats, message)
        if self._has_changed_source(mailbox, step, error):
            return SyncMessage()
        return self._after_error(mailbox, _weightier(error, step.error), stats, message)

    def _after_error(
        self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats, message: SyncMessage
    ) -> SyncMessage | None:
        """The type says who acts: nobody yet (the message comes again), somebody (the mailbox says so), or we."""
        after = self._recorder.failed(mailbox, error, stats)
        now = self._clock()
        if isinstance(error, OperatorMustAct):
            raise error
        if not isinstance(error, RetryLater) or after is None or after.status not in SYNCED:
            return None
        wait = wait_after(error, mailbox, self._limits, self._jitter())
        if error.tenant_wide:
            self._back_off.extend(mailbox.tenant_id, now + wait)
        self._recorder.change(mailbox.id, lambda before: before.with_changes(due_at=now + wait))
        return SyncMessage(delay=wait, sweep=message.sweep)


def _weightier(error: ActionNeeded, of_move: ActionNeeded | None) -> ActionNeeded:
    """Of a source that is closed for good and the reason why the mailbox cannot move away from it, the latter."""
    return of_move if of_move is not None and is_blocked(error) else error
