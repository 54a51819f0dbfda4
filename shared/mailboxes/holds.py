"""Legal holds: while one is set on a mailbox, nothing of its copy is deleted. docs/decisions/0019-legal-hold.md."""

from collections.abc import Callable
from datetime import datetime

from shared.errors import BeingErased
from shared.mailboxes import transitions
from shared.mailboxes.errors import ErasureBegun, HoldReasonInvalid
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry

MAX_REASON = 500
"""The most characters of a hold's reason."""


class HoldCommands:
    """Sets and lifts holds. `actor` is an opaque id for the audit trail, which does not keep the reason."""

    def __init__(self, registry: MailboxRegistry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock

    def hold(self, mailbox_id: str, reason: str, actor: str) -> Mailbox:
        """Set a hold, or replace the reason of one that is set. Syncing goes on.

        Raises:
            NotFound: the mailbox does not exist.
            ErasureBegun: its erasure has begun.
            HoldReasonInvalid: the reason is empty, too long, or not printable text.
        """
        text, now = checked_reason(reason), self._clock()
        try:
            mailbox = self._registry.change(mailbox_id, lambda before: transitions.on_hold(before, text, actor, now))
        except BeingErased as exc:
            raise ErasureBegun("the erasure has begun") from exc
        self._registry.record_audit(mailbox_id, actor, "hold")
        return mailbox

    def lift(self, mailbox_id: str, actor: str) -> Mailbox:
        """Lift the hold. Without one nothing changes, but it is audited: a request may be repeated after a failure.

        Raises:
            NotFound: the mailbox does not exist, or is being erased.
        """
        mailbox = self._registry.change(mailbox_id, transitions.without_hold)
        self._registry.record_audit(mailbox_id, actor, "lift_hold")
        return mailbox


def checked_reason(text: str) -> str:
    """The reason without spaces around it. Raises HoldReasonInvalid."""
    reason = text.strip()
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        raise HoldReasonInvalid("the reason of a hold is one line of at most 500 characters")
    return reason
