"""Lists mailboxes as they are now: a page of the directory, and then each of its mailboxes from the registry."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from shared.errors import NotFound, OperatorMustAct
from shared.mailboxes.directory.model import DirectoryQuery, entry_of
from shared.mailboxes.directory.port import MailboxDirectory
from shared.mailboxes.model import Mailbox

READ_AT_ONCE = 8
"""How many mailboxes of a page are read at the same time."""


@dataclass(frozen=True, slots=True)
class ListedMailboxes:
    """One page. `cursor` continues it; empty: it is the last. It may have fewer mailboxes than asked for, or none."""

    mailboxes: tuple[Mailbox, ...]
    cursor: str = ""


class MailboxListing:
    """Pages of mailboxes. Reading one costs a request to the directory and one for each mailbox on it.

    `find` gives a mailbox by its id, or raises NotFound. It is called from several threads.
    """

    def __init__(self, directory: MailboxDirectory, find: Callable[[str], Mailbox]) -> None:
        self._directory = directory
        self._find = find

    def page(self, query: DirectoryQuery, *, size: int = 50, cursor: str = "") -> ListedMailboxes:
        """Return a page of the mailboxes that match by now. Raises CursorInvalid."""
        page = self._directory.page(query, size=size, cursor=cursor)
        found = self.read([entry.id for entry in page.entries])
        return ListedMailboxes(tuple(one for one in found if query.matches(entry_of(one))), page.cursor)

    def read(self, mailbox_ids: Sequence[str]) -> list[Mailbox]:
        """Return these mailboxes in this order, without those that do not exist or cannot be read by this version."""
        if not mailbox_ids:
            return []
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            return [mailbox for mailbox in pool.map(self._found, mailbox_ids) if mailbox is not None]

    def _found(self, mailbox_id: str) -> Mailbox | None:
        with suppress(NotFound):
            try:
                return self._find(mailbox_id)
            except OperatorMustAct as error:
                if not error.of_one:
                    raise
        return None
