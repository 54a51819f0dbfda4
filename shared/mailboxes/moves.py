"""A move of a mailbox between its sources, as the registry knows it: asked for, made, not made. Plain rules.

What a mailbox is really read over is in its cursor; `source` follows it.
"""

from datetime import datetime

from shared.mailboxes.model import Mailbox
from shared.sources.model import SourceName

VERDICT, SCHEDULE = "verdict", "schedule"
"""Who asks for a move by itself: a source that does not serve the mailbox any more, and the end of EWS."""

SAFETY = "safety"
"""Why a move was not made that would delete or download anew too much."""


def asked_to_move(mailbox: Mailbox, target: SourceName, by: str, *, dry: bool = False, forced: bool = False) -> Mailbox:
    """The mailbox is to be moved, or surveyed only, with its next pass."""
    return mailbox.with_changes(
        moving_to=target, move_asked_by=by, move_dry=dry, move_forced=forced, move_due_at=None, move_blocked=""
    )


def move_is_due(mailbox: Mailbox, source: SourceName, now: datetime) -> bool:
    """Whether a pass over `source` is to move or survey the mailbox first."""
    if mailbox.moving_to in (None, source):
        return False
    return mailbox.move_due_at is None or mailbox.move_due_at <= now


def is_same_request(mailbox: Mailbox, asked: Mailbox) -> bool:
    """Whether the mailbox still has the request of `asked`: an operator may replace it during a pass."""
    return mailbox.erasing_since is None and _request_of(mailbox) == _request_of(asked)


def _request_of(mailbox: Mailbox) -> tuple[object, ...]:
    return mailbox.moving_to, mailbox.move_asked_by, mailbox.move_dry, mailbox.move_forced


def without_move(mailbox: Mailbox) -> Mailbox:
    """Nothing is asked for (any more)."""
    return mailbox.with_changes(moving_to=None, move_asked_by="", move_dry=False, move_forced=False, move_due_at=None)


def moved(mailbox: Mailbox, source: SourceName, at: datetime) -> Mailbox:
    """The mailbox is read over its new source. A request for another move, made in the meantime, stays."""
    is_done = mailbox.moving_to in (None, source)
    after = without_move(mailbox) if is_done else mailbox
    return after.with_changes(source=source, moved_at=at, move_blocked="")


def not_moved(mailbox: Mailbox, reason: str, again_at: datetime) -> Mailbox:
    """The move could not be made; it is tried again."""
    return mailbox.with_changes(move_blocked=reason, move_due_at=again_at)
