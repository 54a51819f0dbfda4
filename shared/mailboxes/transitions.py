"""What moves a mailbox from one status to the next. Plain rules: a mailbox and an event in, the mailbox after it out.

active ──rejected 6 times, or a definite refusal──► needs_sign_in ──signs in──► active
active ──administrator must act──► needs_admin (tried ever more seldom) ──a success──► active
any of them ──10 counted failures──► suspended ──start──► active
active ◄──start── paused ◄──pause── active;   any ──disconnect──► disconnected ──signs in──► active
any of them ──erase──► marked for erasure ──► gone
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import ActionNeeded, AdministratorMustAct, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import SYNCED, Mailbox, Status
from shared.sources.port import SourceName

OUTAGES = frozenset({Reason.THROTTLED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.CONFLICT})
"""Retryable reasons that say nothing about this mailbox, so they never count against it."""

MAX_WAIT = timedelta(hours=24)
"""What an administrator changes can take a day to be in force: a blocked mailbox is tried at least so often."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """After how many failures in a row somebody is asked."""

    rejections_before_sign_in: int = 6
    failures_before_suspension: int = 10


def after_success(mailbox: Mailbox, now: datetime) -> Mailbox:
    """A pass ended well: counts start over, and what an administrator had to cure evidently is cured."""
    return _cleared(mailbox).with_changes(
        status=Status.ACTIVE if mailbox.status is Status.NEEDS_ADMIN else mailbox.status,
        last_success_at=now,
        last_pass_at=now,
    )


def after_failure(
    mailbox: Mailbox, error: ActionNeeded, now: datetime, thresholds: Thresholds, interval: timedelta
) -> Mailbox:
    """A pass ended with an error whose type says who acts next.

    An operator's error changes nothing: our own outage must never march mailboxes toward signing in again. Nor does
    any error change a mailbox that was paused or disconnected while the pass was still under way.
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
    """Signing in again is asked for at once when the answer was definite, else after several rejections in a row."""
    counted = failed.with_changes(rejections=failed.rejections + 1)
    if error.definite or counted.rejections >= thresholds.rejections_before_sign_in:
        return counted.with_changes(status=Status.NEEDS_SIGN_IN, claims=error.claims, due_at=None)
    if counted.failures >= thresholds.failures_before_suspension:
        return counted.with_changes(status=Status.SUSPENDED, due_at=None)
    return counted


def _may_pass(failed: Mailbox, error: AdministratorMustAct, thresholds: Thresholds) -> bool:
    """Whether a mailbox that was read before may be read again by itself: as many failures in a row as rejections."""
    was_read = failed.status is Status.ACTIVE and failed.last_success_at is not None
    return was_read and not error.definite and failed.failures < thresholds.rejections_before_sign_in


def _retry_delay(failures: int, interval: timedelta) -> timedelta:
    """How long to leave a blocked mailbox alone: doubling from one interval, a little under so a tick finds it due."""
    return min(interval * float(2 ** min(failures - 1, 10)), MAX_WAIT) * 0.9


def after_sign_in(mailbox: Mailbox, authorization_id: str) -> Mailbox:
    """Access was given anew: same mailbox, same cursor, same replica, a new authorization."""
    return _cleared(mailbox).with_changes(status=Status.ACTIVE, authorization_id=authorization_id)


def read_by(mailbox: Mailbox, source: SourceName) -> Mailbox:
    """The source that was chosen now, unless items have been read over another: their ids would be unknown to it.

    Such a mailbox keeps its source until it is moved as a whole.
    """
    has_items = mailbox.items > 0 or mailbox.last_success_at is not None
    return mailbox if has_items else mailbox.with_changes(source=source)


def paused(mailbox: Mailbox) -> Mailbox:
    """The person wants no syncing for now. Anything but a running mailbox stays as it is."""
    running = mailbox.status in (Status.ACTIVE, Status.NEEDS_ADMIN)
    return mailbox.with_changes(status=Status.PAUSED) if running else mailbox


def started(mailbox: Mailbox) -> Mailbox:
    """The person, or the operator, wants it running again. What needs a sign-in still does."""
    stopped = mailbox.status in (Status.PAUSED, Status.SUSPENDED, Status.NEEDS_ADMIN)
    return _cleared(mailbox).with_changes(status=Status.ACTIVE) if stopped else mailbox


def disconnected(mailbox: Mailbox) -> Mailbox:
    """Syncing has ended and the token is gone; the replica stays until it is erased."""
    return _cleared(mailbox).with_changes(status=Status.DISCONNECTED, authorization_id="")


def marked_for_erasure(mailbox: Mailbox, now: datetime) -> Mailbox:
    """Its erasure has been asked for. It keeps its authorization's id, by which the token is deleted.

    The mark is final: whoever signs in again gets another mailbox. See docs/decisions/0010-erasure.md.
    """
    if mailbox.erasing_since is not None:
        return mailbox
    return _cleared(mailbox).with_changes(status=Status.DISCONNECTED, erasing_since=now)


def _cleared(mailbox: Mailbox) -> Mailbox:
    return mailbox.with_changes(reason="", support="", claims="", rejections=0, failures=0, due_at=None)
