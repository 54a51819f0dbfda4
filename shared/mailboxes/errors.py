"""What can go wrong with a command on a mailbox; `code` names the page that answers it.

CommandRefused                                             the command cannot run now
├── SyncedTooRecently, MailboxStopped                      the mailbox does not take it
└── PassStillRunning                                       an erasure waits for a pass in vain
"""

from shared.errors import MailboxSyncError


class CommandRefused(MailboxSyncError):
    """An act that cannot be done now; `code` names the problem to answer with, `wait` the seconds until it can be."""

    code = ""
    wait: int | None = None


class SyncedTooRecently(CommandRefused):
    """A sync was asked for less than a minute after the last."""

    code = "too_soon"

    def __init__(self, wait: int) -> None:
        super().__init__("too_soon")
        self.wait = wait


class MailboxStopped(CommandRefused):
    """The mailbox is disconnected or waits for a sign-in, so there is nothing to sync with."""

    code = "not_while_stopped"


class PassStillRunning(CommandRefused):
    """A pass under way did not end in time: the mailbox is marked, and erased when asked again, or daily."""

    code = "still_under_way"
