"""The transitions between a mailbox's statuses. Pure rules: a mailbox and an event give the mailbox afterward.

active ──rejected 6 times, or a definite refusal──► needs_sign_in ──signs in──► active
active ──administrator must act──► needs_admin (retried at growing intervals) ──a success──► active
any of them ──10 counted failures──► suspended ──start──► active
active ◄──start── paused ◄──pause── active;   any ──disconnect──► disconnected ──signs in──► active
any of them ──erase──► marked for erasure ──► deleted;   none while it is on legal hold, which is no status
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import ActionNeeded, AdministratorMustAct, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.errors import MailboxStopped, OnHold
from shared.mailboxes.model import SYNCED, Mailbox, Status
from shared.sources.model import SourceName

OUTAGES = frozenset({Reason.THROTTLED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.CONFLICT})
"""Retryable reasons that say nothing about this mailbox, so they never count against it (see sync/back_off)."""

MAX_WAIT = timedelta(hours=24)
"""An administrator's change can take a day to take effect. A blocked mailbox is tried at least this often."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of consecutive failures after which somebody has to act."""

    rejections_before_sign_in: int = 6
    failures_before_suspension: int = 10


def after_success(mailbox: Mailbox, now: datetime) -> Mailbox:
    """A pass succeeded: reset the counts; a problem that an administrator had to fix is evidently fixed."""
    return _cleared(mailbox).with_changes(
        status=Status.ACTIVE if mailbox.status is Status.NEEDS_ADMIN else mailbox.status,
        last_success_at=now,
        last_pass_at=now,
    )


def after_failure(
    mailbox: Mailbox, error: ActionNeeded, now: datetime, thresholds: Thresholds, interval: timedelta
) -> Mailbox:
    """A pass ended with an error, whose type says who acts next.

    An operator's error changes nothing: our own outage must never make mailboxes ask for a sign-in. Nor does any error
    change a mailbox that was paused or disconnected during the pass.
    """
    if isinstance(error, OperatorMustAct) or mailbox.status not in SYNCED:
        return mailbox
    tried = mailbox.with_changes(last_pass_at=now, reason=error.reason.value, support=error.support)
    if isinstance(error, RetryLater) and error.reason in OUTAGES:
        return tried
    failed = tried.with_changes(failures=mailbox.failures + 1)
    if isinstance(error, PersonMustSignIn):
        return _after_rejection(failed, error, thresholds)
    if failed.failures >= thresholds.failures_before_suspension:
        return failed.with_changes(status=Status.SUSPENDED, due_at=None)
    if isinstance(error, AdministratorMustAct) and not _may_pass(failed, error, thresholds):
        return failed.with_changes(status=Status.NEEDS_ADMIN, due_at=now + _retry_delay(failed.failures, interval))
    return failed


def _after_rejection(failed: Mailbox, error: PersonMustSignIn, thresholds: Thresholds) -> Mailbox:
    """Ask for a sign-in: at once after a definite answer, otherwise after several consecutive rejections."""
    counted = failed.with_changes(rejections=failed.rejections + 1)
    if error.definite or counted.rejections >= thresholds.rejections_before_sign_in:
        return counted.with_changes(status=Status.NEEDS_SIGN_IN, claims=error.claims, due_at=None)
    if counted.failures >= thresholds.failures_before_suspension:
        return counted.with_changes(status=Status.SUSPENDED, due_at=None)
    return counted


def _may_pass(failed: Mailbox, error: AdministratorMustAct, thresholds: Thresholds) -> bool:
    """Whether the problem may pass by itself.

    It may if the mailbox was read before, and the failures in a row are fewer than the rejections that ask for a
    sign-in.
    """
    was_read = failed.status is Status.ACTIVE and failed.last_success_at is not None
    return was_read and not error.definite and failed.failures < thresholds.rejections_before_sign_in


def _retry_delay(failures: int, interval: timedelta) -> timedelta:
    """How long a blocked mailbox waits: one interval, doubling, minus a tenth, so that it is due at the tick."""
    return min(interval * float(2 ** min(failures - 1, 10)), MAX_WAIT) * 0.9


def after_sign_in(mailbox: Mailbox, authorization_id: str) -> Mailbox:
    """The person signed in again: the mailbox, cursor and replica stay, with a new authorization."""
    return _cleared(mailbox).with_changes(status=Status.ACTIVE, authorization_id=authorization_id)


def read_by(mailbox: Mailbox, source: SourceName) -> Mailbox:
    """Set the source, unless items have been read over another source: the new one does not know their ids.

    Such a mailbox keeps its source until it is moved as a whole.
    """
    has_items = mailbox.items > 0 or mailbox.last_success_at is not None
    return mailbox if has_items else mailbox.with_changes(source=source)


def paused(mailbox: Mailbox) -> Mailbox:
    """The person pauses syncing. Any mailbox that is not running stays as it is."""
    running = mailbox.status in (Status.ACTIVE, Status.NEEDS_ADMIN)
    return mailbox.with_changes(status=Status.PAUSED) if running else mailbox


def started(mailbox: Mailbox) -> Mailbox:
    """The person or the operator resumes syncing. A mailbox that needs a sign-in still needs it."""
    stopped = mailbox.status in (Status.PAUSED, Status.SUSPENDED, Status.NEEDS_ADMIN)
    return _cleared(mailbox).with_changes(status=Status.ACTIVE) if stopped else mailbox


def reset(mailbox: Mailbox, now: datetime) -> Mailbox:
    """Its next pass reads the mailbox anew (sync/reading/reset.py). One that was suspended or blocked is started.

    A mailbox that needs a sign-in still needs it, and is read anew after that.

    Raises:
        MailboxStopped: it is paused or disconnected.
    """
    if mailbox.status in (Status.PAUSED, Status.DISCONNECTED):
        raise MailboxStopped("a mailbox that is stopped on purpose is not reset")
    return started(mailbox).with_changes(reset_at=now)


def disconnected(mailbox: Mailbox) -> Mailbox:
    """Syncing has ended and the token is deleted; the replica stays until it is erased."""
    return _cleared(mailbox).with_changes(status=Status.DISCONNECTED, authorization_id="")


def marked_for_erasure(mailbox: Mailbox, now: datetime) -> Mailbox:
    """Its erasure was requested. It keeps its authorization's id, which is needed to delete the token.

    The mark is final: a later sign-in gets a new mailbox. See docs/decisions/0010-erasure.md.

    Raises:
        OnHold: a legal hold forbids it.
    """
    if mailbox.erasing_since is not None:
        return mailbox
    require_no_hold(mailbox)
    return _cleared(mailbox).with_changes(status=Status.DISCONNECTED, erasing_since=now)


def require_no_hold(mailbox: Mailbox) -> None:
    """Raise OnHold if a legal hold forbids erasing the mailbox."""
    if mailbox.hold_since is not None:
        raise OnHold("the mailbox is on legal hold")


def on_hold(mailbox: Mailbox, reason: str, actor: str, now: datetime) -> Mailbox:
    """A legal hold is set (docs/decisions/0019-legal-hold.md). One that is set already keeps its time."""
    return mailbox.with_changes(hold_since=mailbox.hold_since or now, hold_by=actor, hold_reason=reason)


def without_hold(mailbox: Mailbox) -> Mailbox:
    """The legal hold is lifted."""
    return mailbox.with_changes(hold_since=None, hold_by="", hold_reason="")


def _cleared(mailbox: Mailbox) -> Mailbox:
    return mailbox.with_changes(reason="", support="", claims="", rejections=0, failures=0, due_at=None)
