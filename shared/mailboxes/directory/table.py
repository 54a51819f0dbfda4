"""The directory in Table Storage: the table `directory`, which the registry's writes keep up to date.

Rows are written in transactions of one: so no address is part of a URL, which Storage's and the SDK's logs show.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared.errors import MailboxSyncError, NotFound, OperatorMustAct
from shared.mailboxes.directory.model import LARGEST_PAGE, DirectoryEntry, DirectoryPage, DirectoryQuery, entry_of
from shared.mailboxes.directory.rows import (
    RowPlace,
    decode_cursor,
    encode_cursor,
    entry_from,
    fields_of,
    filter_of,
    places,
)
from shared.mailboxes.model import Mailbox
from shared.storage.azure_errors import NOT_FOUND_CODES, error_code, translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableClient

_log = logging.getLogger(__name__)

MOST_REQUESTS = 10
"""How many requests one page may take: a rare combination of filters is searched for in a bounded number of rows."""

MOST_ROUNDS = 8
"""How often an entry is written again because its mailbox has changed meanwhile."""


class TableDirectory:
    """Implements MailboxDirectory. `find` gives a mailbox by its id, or raises NotFound."""

    def __init__(self, table: "TableClient", find: Callable[[str], Mailbox]) -> None:
        self._table = table
        self._find = find

    def page(self, query: DirectoryQuery, *, size: int = 50, cursor: str = "") -> DirectoryPage:
        """Read the rows of one partition from the cursor on."""
        size = min(size, LARGEST_PAGE)
        text, parameters = filter_of(query)
        token: Mapping[str, str] | None = decode_cursor(cursor)
        entries: list[DirectoryEntry] = []
        for _ in range(MOST_REQUESTS):
            rows, token = self._read(text, parameters, size - len(entries), token)
            entries += (entry for row in rows if (entry := entry_from(row)) is not None and query.matches(entry))
            if token is None or len(entries) >= size:
                break
        return DirectoryPage(tuple(entries), encode_cursor(token))

    def _read(
        self, text: str, parameters: Mapping[str, str], size: int, token: Mapping[str, str] | None
    ) -> tuple[list[Mapping[str, Any]], Mapping[str, str] | None]:
        """One request: its rows, and the token of the next."""
        with translate_errors():
            found: Any = self._table.query_entities(text, parameters=dict(parameters), results_per_page=size)
            pages = found.by_page(dict(token) if token else None)
            rows = list(next(pages, ()))
            return rows, pages.continuation_token

    def follow(self, before: Mailbox | None, after: Mailbox) -> None:
        """Write the entry of a mailbox that was added or changed, and delete what it no longer has.

        The mailbox is read again afterward, and written again if it has changed since: of several writers the one that
        ends last has written its latest state. A fault of Storage is left to the repair, because the mailbox itself has
        been changed already.
        """
        if before is not None and entry_of(before) == entry_of(after):
            return
        try:
            self._follow(places(entry_of(before)) if before else frozenset(), entry_of(after))
        except MailboxSyncError as error:
            _log.warning("directory not updated", exc_info=error, extra={"mailbox_id": after.id})

    def _follow(self, obsolete: frozenset[RowPlace], entry: DirectoryEntry) -> None:
        for _ in range(MOST_ROUNDS):
            self._put(entry)
            self._delete(obsolete - places(entry))
            try:
                current = entry_of(self._find(entry.id))
            except NotFound:
                self._delete(places(entry))
                return
            if current == entry:
                return
            obsolete, entry = obsolete | places(entry), current

    def remove(self, mailbox: Mailbox) -> None:
        """Delete the entry of an erased mailbox."""
        self._delete(places(entry_of(mailbox)))

    def repair(self, mailboxes: Iterable[Mailbox]) -> int:
        """Compare every row with its mailbox, then add what is missing."""
        known = {mailbox.id: entry_of(mailbox) for mailbox in mailboxes}
        missing = {mailbox_id: len(places(entry)) for mailbox_id, entry in known.items()}
        repaired: set[str] = set()
        for row in self._all_rows():
            mailbox_id, place = str(row.get("mailbox_id", "")), (row["PartitionKey"], row["RowKey"])
            entry = known.get(mailbox_id)
            if entry is not None and place in places(entry) and entry_from(row) == entry:
                missing[mailbox_id] -= 1
            elif self._repair_row(mailbox_id, place):
                repaired.add(mailbox_id)
        for mailbox_id in [found for found, count in missing.items() if count and found not in repaired]:
            if self._is_repaired(mailbox_id, frozenset(), known[mailbox_id]):
                repaired.add(mailbox_id)
        if repaired:
            _log.warning("directory repaired", extra={"mailboxes": len(repaired)})
        return len(repaired)

    def _all_rows(self) -> Iterable[Mapping[str, Any]]:
        with translate_errors():
            yield from self._table.list_entities(results_per_page=LARGEST_PAGE)

    def _repair_row(self, mailbox_id: str, place: RowPlace) -> bool:
        """Correct a row that did not agree with what was known of its mailbox; it may agree by now."""
        try:
            return self._is_repaired(mailbox_id, frozenset({place}))
        except NotFound:
            self._delete({place})
        return True

    def _is_repaired(self, mailbox_id: str, obsolete: frozenset[RowPlace], entry: DirectoryEntry | None = None) -> bool:
        """Write the mailbox's entry. The rows of a mailbox that this version cannot read stay as they are."""
        try:
            self._follow(obsolete, entry or entry_of(self._find(mailbox_id)))
        except OperatorMustAct as error:
            if not error.of_one:
                raise
            return False
        return True

    def _put(self, entry: DirectoryEntry) -> None:
        for partition, row in sorted(places(entry)):
            self._submit("upsert", {"PartitionKey": partition, "RowKey": row} | fields_of(entry))

    def _delete(self, obsolete: Iterable[RowPlace]) -> None:
        for partition, row in sorted(obsolete):
            self._submit("delete", {"PartitionKey": partition, "RowKey": row})

    def _submit(self, operation: str, row: dict[str, Any]) -> None:
        """Write or delete one row. Deleting one that does not exist is no error."""
        from azure.data.tables import TableTransactionError, UpdateMode

        options: dict[str, Any] = {"mode": UpdateMode.REPLACE} if operation == "upsert" else {}
        with translate_errors():
            try:
                self._table.submit_transaction([(operation, row, options)])
            except TableTransactionError as error:
                if operation != "delete" or error_code(error) not in NOT_FOUND_CODES:
                    raise
