"""The errors of commands on a mailbox; `code` names the page that is shown.

CommandRefused                                             the command cannot run now
├── SyncedTooRecently, MailboxStopped                      the mailbox's state does not allow it
├── OnHold, ErasureBegun                                   a hold excludes an erasure, and an erasure a hold
└── PassStillRunning                                       an erasure waited for a pass that did not end
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared.errors import MailboxSyncError


class CommandRefused(MailboxSyncError):
    """A command that cannot run now. `code` names the problem to show, `wait` the seconds until it can run.

    `values` are those of the problem's sentences.
    """

    code = ""
    wait: int | None = None
    values: Mapping[str, object] = MappingProxyType({})


class SyncedTooRecently(CommandRefused):
    """A sync was requested less than a minute after the last one."""

    code = "too_soon"

    def __init__(self, wait: int) -> None:
        super().__init__("too_soon")
        self.wait = wait


class MailboxStopped(CommandRefused):
    """The mailbox is paused or disconnected; or a sync was requested and it is suspended or waits for a sign-in."""

    code = "not_while_stopped"


class PassStillRunning(CommandRefused):
    """A running pass did not end in time. The mailbox is marked; the next request or the daily work erases it."""

    code = "still_under_way"


class OnHold(CommandRefused):
    """The mailbox is on legal hold, so it cannot be erased. Nothing has changed."""

    code = "on_hold"


class ErasureBegun(CommandRefused):
    """The mailbox's erasure has begun, which nothing undoes, so it cannot be put on hold."""

    code = "erasure_begun"


class HoldReasonInvalid(MailboxSyncError):
    """The reason of a hold is empty, too long, or not printable text."""
