"""The errors of groups."""

from shared.errors import MailboxSyncError
from shared.mailboxes.errors import CommandRefused


class GroupInUse(CommandRefused):
    """The group has mailboxes, so it cannot be deleted. `mailboxes`: how many, or more if not `is_exact`."""

    code = "group_in_use"

    def __init__(self, mailboxes: int, *, is_exact: bool = True) -> None:
        super().__init__(f"the group is in use; mailboxes in it: {mailboxes}{'' if is_exact else ' or more'}")
        self.values = {"mailboxes": mailboxes}


class GroupUnknown(MailboxSyncError):
    """No group has this name, or it is being deleted, so no mailbox can be put into it. Make it first."""


class GroupInvalid(MailboxSyncError):
    """A field of a group has a value that it cannot have. `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the group's {field} is not valid")
        self.field = field
