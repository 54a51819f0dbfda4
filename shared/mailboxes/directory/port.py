"""The port of the directory."""

from collections.abc import Iterable
from typing import Protocol

from shared.mailboxes.directory.model import DirectoryPage, DirectoryQuery
from shared.mailboxes.model import Mailbox


class MailboxDirectory(Protocol):
    """Lists mailboxes. The registry keeps it up to date; the daily work repairs what a crash has left.

    An entry may lag behind its mailbox by moments, and after a crash until the repair: whoever shows a page reads its
    mailboxes and drops those that no longer match.
    """

    def page(self, query: DirectoryQuery, *, size: int = 50, cursor: str = "") -> DirectoryPage:
        """Return at most `size` entries that match, in the query's order, from the cursor on.

        Raises:
            CursorInvalid: the cursor was not returned for this query.
        """
        ...

    def repair(self, mailboxes: Iterable[Mailbox]) -> int:
        """Compare the directory with all mailboxes; add, change and delete entries; return how many mailboxes."""
        ...
