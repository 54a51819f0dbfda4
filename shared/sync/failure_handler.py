"""Decides what follows a pass that failed: a message later, the other source, or somebody who has to act."""

from collections.abc import Callable
from datetime import datetime

from shared.errors import ActionNeeded, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import SYNCED, Mailbox
from shared.mailboxes.moves import VERDICT, asked_to_move
from shared.mailboxes.transitions import read_by
from shared.sources.model import SourceName
from shared.sources.selection import is_blocked
from shared.sync.back_off.port import TenantBackOff
from shared.sync.back_off.waits import wait_after
from shared.sync.limits import Limits
from shared.sync.moving.mover import MoveStep
from shared.sync.moving.switch import source_of
from shared.sync.recording.pass_metrics import record_back_off
from shared.sync.recording.pass_result import RunStats
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.sync_message import SyncMessage


class FailureHandler:
    """Records errors of passes.

    `source_after` returns the source that reads a mailbox after an error of its source; `is_renewed` is that of
    AccessTokens.
    """

    def __init__(
        self,
        *,
        recorder: RunRecorder,
        back_off: TenantBackOff,
        limits: Limits,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        source_after: Callable[[SourceName, ActionNeeded], SourceName],
        is_renewed: Callable[[str, datetime], bool],
    ) -> None:
        self._recorder = recorder
        self._back_off = back_off
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._source_after = source_after
        self._is_renewed = is_renewed

    def handle(
        self, mailbox: Mailbox, step: MoveStep | None, error: ActionNeeded, stats: RunStats, message: SyncMessage
    ) -> SyncMessage | None:
        """Change to the other source if this one refuses the mailbox; record every other error.

        `step` is None if the pass failed before it knew its source. Returns the message that follows, if any.

        Raises:
            OperatorMustAct: see `record`.
        """
        if step is None:
            return self.record(mailbox, error, stats, message)
        if self._has_changed_source(mailbox, step, error):
            return SyncMessage()
        if isinstance(error, PersonMustSignIn) and self._is_renewed(mailbox.authorization_id, stats.started_at):
            # A service account keeps its authorization's id, so the id does not tell that it has signed in again.
            renewed = RetryLater(Reason.CONFLICT, "the refused token was replaced during the pass")
            return self.record(mailbox, renewed, stats, message)
        return self.record(mailbox, _error_to_report(error, step.error), stats, message)

    def record(
        self, mailbox: Mailbox, error: ActionNeeded, stats: RunStats, message: SyncMessage
    ) -> SyncMessage | None:
        """Record an error. Its type says who acts: nobody (the message is sent again), a person, or the operator.

        Raises:
            OperatorMustAct: the error itself, so that the queue delivers the message again and the alert sees it.
        """
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

    def _has_changed_source(self, mailbox: Mailbox, step: MoveStep, error: ActionNeeded) -> bool:
        """Whether another source reads the mailbox from now on, because this one refuses it.

        A mailbox that was read already is moved. A move that has just failed is not requested again at once.
        """
        source = self._source_after(step.source, error)
        if source is step.source:
            return False
        if source_of(step.cursor, source) is source:
            after = self._recorder.change(mailbox.id, lambda before: read_by(before, source))
            if after is None or after.source is source:
                return after is not None
        is_waiting = mailbox.moving_to is source and bool(mailbox.move_blocked)
        if step.was_tried or (is_waiting and not mailbox.move_dry):
            return False
        after = self._recorder.change(mailbox.id, lambda before: _moved_by_verdict(before, source))
        return after is not None and after.moving_to is source


def _moved_by_verdict(mailbox: Mailbox, source: SourceName) -> Mailbox:
    """The mailbox is to be moved now. A move that is asked for already stays as it is: it may be forced."""
    is_asked = mailbox.moving_to is source and not mailbox.move_dry
    return mailbox.with_changes(move_due_at=None) if is_asked else asked_to_move(mailbox, source, VERDICT)


def _error_to_report(error: ActionNeeded, of_move: ActionNeeded | None) -> ActionNeeded:
    """Return why the mailbox cannot move to the other source, if its own source is blocked; else the pass's error."""
    return of_move if of_move is not None and is_blocked(error) else error
