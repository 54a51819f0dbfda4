"""The first step of a pass: complete a switch, or continue a move that is due. If it fails, the pass continues."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from shared.authorization.port import AccessTokens
from shared.errors import ActionNeeded, Conflict, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes.model import Mailbox, is_own
from shared.mailboxes.moves import (
    SAFETY,
    SCHEDULE,
    asked_to_move,
    is_same_request,
    move_is_due,
    moved,
    not_moved,
    without_move,
)
from shared.mailboxes.port import MailboxRegistry
from shared.replica.port import Cursor, Replica
from shared.sources.model import Access, SourceName
from shared.sources.port import MailSource, MailSources
from shared.sources.selection import MoveSchedule
from shared.sync.back_off.waits import ITEM_MAY_CAUSE
from shared.sync.budget import Budget, LeaseLost
from shared.sync.limits import Limits
from shared.sync.moving.mailbox_move import MailboxMove, MoveResult
from shared.sync.moving.origin import Origin
from shared.sync.moving.parity import MoveOutcome, with_numbers
from shared.sync.moving.restating import Restater
from shared.sync.moving.switch import source_of
from shared.sync.recording.pass_result import RunStats
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor
from shared.sync.state.sync_state import from_notes

_log = logging.getLogger(__name__)

AGAIN = timedelta(hours=24)
"""When a move is tried again that the safety stop has blocked, or for which somebody has to act."""


@dataclass(frozen=True, slots=True)
class MoveStep:
    """The result: the present cursor, the source that it names, and whether another message continues the move."""

    cursor: Cursor
    source: SourceName
    goes_on: bool = False
    was_tried: bool = False
    """Whether a move was due but failed."""
    error: ActionNeeded | None = None
    """Why a move that was due failed."""


class Mover:
    """Moves mailboxes for the engine. `offset` spreads mailboxes over the days of the schedule, from 0 to 1."""

    def __init__(
        self,
        *,
        sources: MailSources,
        replica: Replica,
        registry: MailboxRegistry,
        recorder: RunRecorder,
        access_tokens: AccessTokens,
        scope_of: Callable[[Mailbox], Scope],
        limits: Limits,
        clock: Callable[[], datetime],
        schedule: MoveSchedule | None,
        offset: Callable[[str], float],
    ) -> None:
        self._sources = sources
        self._replica = replica
        self._registry = registry
        self._recorder = recorder
        self._access_tokens = access_tokens
        self._scope_of = scope_of
        self._limits = limits
        self._clock = clock
        self._schedule = schedule
        self._offset = offset

    def advance(self, settled: SettledCursor, cursor: Cursor, budget: Budget, stats: RunStats) -> MoveStep:
        """Continue the mailbox's move.

        Raises: what storage raises; Conflict, LeaseLost.
        """
        mailbox = settled.mailbox
        source = source_of(cursor, mailbox.source)
        stats = replace(stats, is_move=True, sequence=cursor.sequence)
        if (switched := from_notes(cursor.notes).restating) is not None:
            settled.announce_page()
            return self._restate(mailbox, cursor, budget, stats, switched.at)
        mailbox = self._with_current_source(mailbox, source)
        if self._has_to_test_access(mailbox, source):
            self._test_access(mailbox)
        if stats.sweep or not move_is_due(mailbox, source, self._clock()) or mailbox.moving_to is None:
            return MoveStep(cursor, source)
        try:
            result = self._move(mailbox, cursor, source, mailbox.moving_to, budget)
        except ActionNeeded as error:
            _log.warning("move failed", exc_info=error)
            self._failed(mailbox, error, stats)
            return MoveStep(cursor, source, was_tried=True, error=error)
        except (Conflict, LeaseLost):
            raise
        except Exception as defect:  # it must not stop the passes over the present source
            _log.error("move failed", exc_info=defect)
            self._failed(mailbox, OperatorMustAct(Reason.INTERNAL), stats)
            return MoveStep(cursor, source, was_tried=True)
        stats = replace(stats, requests=result.requests)
        self._recorder.ended(mailbox.id, result.outcome or "continues", stats, source=source)
        if result.outcome in (None, MoveOutcome.MOVED):
            return MoveStep(result.cursor, source_of(result.cursor, source), goes_on=True)
        self._recorder.change(mailbox.id, lambda before: self._not_made(before, mailbox, result))
        return MoveStep(cursor, source, was_tried=True)

    def _restate(
        self, mailbox: Mailbox, cursor: Cursor, budget: Budget, stats: RunStats, switched_at: datetime
    ) -> MoveStep:
        """Restate the rows after the switch; when that is complete, record the move in the registry.

        The cursor says that all is done only after that: a crash in between repeats the record instead of losing it.
        """
        restater = Restater(self._replica, mailbox.id, limits=self._limits, budget=budget, clock=self._clock)
        cursor, restated = restater.run(cursor)
        source = source_of(cursor, mailbox.source)
        if restated is not None:
            numbers = partial(with_numbers, values=restated.report)
            self._recorder.change(mailbox.id, lambda before: numbers(moved(before, source, switched_at)))
            cursor = restater.finish(cursor, restated)
        outcome = "restated" if restated is not None else "continues"
        self._recorder.ended(mailbox.id, outcome, stats, source=source)
        return MoveStep(cursor, source, goes_on=True)

    def _with_current_source(self, mailbox: Mailbox, source: SourceName) -> Mailbox:
        """Return the mailbox with the cursor's source, and with the move that the schedule requests."""
        if self._after_schedule(mailbox, source) == mailbox:
            return mailbox
        return self._recorder.change(mailbox.id, lambda before: self._after_schedule(before, source)) or mailbox

    def _after_schedule(self, mailbox: Mailbox, source: SourceName) -> Mailbox:
        mailbox = mailbox.with_changes(source=source)
        if mailbox.moving_to is source:
            return without_move(mailbox)
        is_due = self._schedule is not None and self._schedule.is_due(source, self._offset(mailbox.id), self._clock())
        if is_due and mailbox.moving_to is None:
            return asked_to_move(mailbox, SourceName.GRAPH, SCHEDULE)
        return mailbox

    def _has_to_test_access(self, mailbox: Mailbox, source: SourceName) -> bool:
        """Whether to test, once a day before EWS ends, that the mailbox can be moved."""
        now = self._clock()
        if self._schedule is None or mailbox.moving_to is not None or not self._schedule.is_near(source, now):
            return False
        return mailbox.move_due_at is None or mailbox.move_due_at <= now

    def _test_access(self, mailbox: Mailbox) -> None:
        """Test the access over Graph with one request, and record what is missing; EWS continues in the meantime."""
        reason = ""
        try:
            self._sources.check(self._access(mailbox, SourceName.GRAPH))
        except RetryLater:
            reason = mailbox.move_blocked
        except ActionNeeded as error:
            reason = error.reason.value
        again_at = self._clock() + AGAIN * 0.9
        self._not_moved(mailbox, reason, again_at)

    def _access(self, mailbox: Mailbox, source: SourceName) -> Access:
        return self._access_tokens.access(mailbox.authorization_id, mailbox.address, source, own=is_own(mailbox))

    def _move(
        self, mailbox: Mailbox, cursor: Cursor, present: SourceName, target: SourceName, budget: Budget
    ) -> MoveResult:
        # After a failure that one item may cause, each is requested alone: it must not stop the move for ever.
        isolates = mailbox.move_blocked in ITEM_MAY_CAUSE
        scope, source = self._scope_of(mailbox), self._open(mailbox, target, isolate_failures=isolates)
        origin = Origin(present, partial(self._open, mailbox, present))
        try:
            return MailboxMove(
                mailbox.id,
                cursor,
                source,
                origin=origin,
                target=target,
                replica=self._replica,
                registry=self._registry,
                scope=scope,
                limits=self._limits,
                budget=budget,
                clock=self._clock,
                is_asked=partial(self._is_asked, mailbox),
                isolates_failures=isolates,
            ).run(dry=mailbox.move_dry, forced=mailbox.move_forced)
        finally:
            origin.close()
            source.close()

    def _open(self, mailbox: Mailbox, source: SourceName, *, isolate_failures: bool = False) -> MailSource:
        return self._sources.open(self._access(mailbox, source), isolate_failures=isolate_failures)

    def _is_asked(self, asked: Mailbox) -> bool:
        """Whether the mailbox is still to be moved as it was when its pass began."""
        try:
            return is_same_request(self._registry.get(asked.id), asked)
        except NotFound:
            return False

    def _not_made(self, before: Mailbox, asked: Mailbox, result: MoveResult) -> Mailbox:
        """Return the mailbox after a dry run, or after a move that the safety stop has blocked until the next try.

        A request that was made in the meantime stays.
        """
        mailbox = with_numbers(before, result.report or {})
        if not is_same_request(before, asked):
            return mailbox
        if result.outcome is MoveOutcome.SURVEYED:
            return without_move(mailbox)
        return not_moved(mailbox, SAFETY, self._clock() + AGAIN)

    def _failed(self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats) -> None:
        """Record why the move failed. The present source continues in the meantime."""
        wait = self._limits.interval if isinstance(error, RetryLater) else AGAIN
        self._not_moved(mailbox, error.reason.value, self._clock() + wait * 0.9)
        self._recorder.ended(mailbox.id, error.reason, stats, source=mailbox.source)

    def _not_moved(self, asked: Mailbox, reason: str, again_at: datetime) -> None:
        """Record why the mailbox could not be moved, unless something else was asked for in the meantime."""
        self._recorder.change(
            asked.id,
            lambda before: not_moved(before, reason, again_at) if is_same_request(before, asked) else before,
        )
