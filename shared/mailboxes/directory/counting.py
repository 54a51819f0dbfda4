"""Counts the mailboxes that match a query, before a command is given to all of them."""

from dataclasses import dataclass

from shared.mailboxes.directory.model import LARGEST_PAGE, DirectoryQuery
from shared.mailboxes.directory.port import MailboxDirectory

MOST_REQUESTS = 10


@dataclass(frozen=True, slots=True)
class MatchCount:
    """How many mailboxes match. If not `is_exact`, there are at least so many: counting all would take too long."""

    number: int
    is_exact: bool = True


def count_matching(directory: MailboxDirectory, query: DirectoryQuery, *, size: int = LARGEST_PAGE) -> MatchCount:
    """Count the directory's entries that match, in at most `MOST_REQUESTS` pages of `size` entries."""
    number, cursor = 0, ""
    for _ in range(MOST_REQUESTS):
        page = directory.page(query, size=size, cursor=cursor)
        number += len(page.entries)
        if not (cursor := page.cursor):
            return MatchCount(number)
    return MatchCount(number, is_exact=False)
