"""Applies a page to the rows in transactions that each replace the fence, so that a late writer changes nothing.

The fence is a row in the mailbox's partition. Every transaction replaces it under the ETag that its writer last saw. It
names the page that is being applied, and whether that page is fully applied. A writer that another one has overtaken
holds an old ETag, however late it continues: it cannot overwrite newer rows. A page that is known to be applied is
never applied again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.errors import Conflict
from shared.replica.encoding import pack
from shared.replica.encoding.item_rows import FENCE, MAX_INT32, row_changes, split_into_transactions, unconditional
from shared.replica.port import FeedChange
from shared.replica.row_lookup import RowLookup
from shared.replica.storage_port import Row, RowChange, RowExists, RowMissing, Rows, Verb


@dataclass(frozen=True, slots=True)
class Fence:
    """Which page the rows are at. `applied`: the page is applied in full. An empty ETag: there is no fence yet.

    `erased`: the fence is a tombstone. The mailbox was erased, and nothing may be written under its id again.
    """

    sequence: int = 0
    applied: bool = True
    etag: str = ""
    erased: bool = False

    def check_not_erased(self, sequence: int = 0) -> None:
        """Check that the mailbox was not erased; `sequence` is the number of its last page.

        Once a mailbox has a page, only an erasure removes the fence.

        Raises:
            Conflict: the mailbox has been erased.
        """
        if self.erased or (sequence and not self.etag):
            raise Conflict("the mailbox has been erased")

    def has_applied(self, sequence: int) -> bool:
        """Whether the page with this number has taken effect in full."""
        return self.sequence > sequence or (self.sequence == sequence and self.applied)


class FencedRows:
    """The table's rows, changed only together with the fence."""

    def __init__(self, rows: Rows, lookup: RowLookup) -> None:
        self._rows = rows
        self._lookup = lookup

    def fence(self, mailbox_id: str) -> Fence:
        """Return the current fence."""
        found = self._rows.get(mailbox_id, FENCE)
        if found is None:
            return Fence()
        row, etag = found
        return Fence(int(row["sequence"]), row["state"] == "applied", etag, row["state"] == "erased")

    def settled_fence(self, mailbox_id: str, sequence: int) -> Fence:
        """Return the fence if the rows are exactly at this page, or the tombstone.

        Raises:
            Conflict: another writer is applying a page.
        """
        fence = self.fence(mailbox_id)
        if fence.etag and not fence.erased and (fence.sequence != sequence or not fence.applied):
            raise Conflict("a page is being applied")
        return fence

    def apply(self, mailbox_id: str, sequence: int, changes: Sequence[FeedChange], fence: Fence) -> None:
        """Apply a page's changes to the rows: see `apply_transactions`."""
        rows = row_changes(changes, pack.prefix(mailbox_id, sequence))
        self.apply_transactions(mailbox_id, sequence, list(split_into_transactions(rows)), fence)

    def apply_transactions(
        self, mailbox_id: str, sequence: int, batches: Sequence[Sequence[RowChange]], fence: Fence
    ) -> None:
        """Run a page's transactions on the rows, unless it is applied already.

        Raises:
            Conflict: the mailbox has been erased, or another writer has replaced the fence.
        """
        fence.check_not_erased()
        if fence.has_applied(sequence):
            return
        for number, batch in enumerate(batches, 1):
            fence = self.transact(mailbox_id, batch, replace(fence, sequence=sequence, applied=number == len(batches)))

    def transact(self, mailbox_id: str, changes: Sequence[RowChange], fence: Fence) -> Fence:
        """Run one transaction that replaces the fence; repeat it without assumptions if a row was not as expected.

        Raises:
            Conflict: another writer has replaced the fence.
        """
        row = {"sequence": fence.sequence, "state": "applied" if fence.applied else "applying"}
        moved = RowChange(Verb.REPLACE if fence.etag else Verb.INSERT, FENCE, row, fence.etag)
        try:
            etags = self._rows.transact(mailbox_id, [moved, *changes])
        except (RowExists, RowMissing):
            # The fence keeps others from adding or removing rows between this read and the transaction.
            etags = self._rows.transact(
                mailbox_id, [moved, *unconditional(changes, self._present(mailbox_id, changes))]
            )
        return replace(fence, etag=etags[0])

    def put_tombstone(self, mailbox_id: str) -> None:
        """Replace the fence, whatever it says, with a tombstone: transactions under an earlier fence's ETag then fail.

        It has the largest sequence number, so that a version of this program that does not know the state `erased`
        treats every page as applied.
        """
        row: Row = {"sequence": MAX_INT32, "state": "erased"}
        self._rows.transact(mailbox_id, [RowChange(Verb.REPLACE, FENCE, row)])

    def delete(self, mailbox_id: str, keys: Sequence[str]) -> None:
        """Delete at most 100 rows, which may include the fence; rows that no longer exist are no error."""
        changes = [RowChange(Verb.DELETE, key) for key in keys]
        try:
            self._rows.transact(mailbox_id, changes)
        except RowMissing:
            left = unconditional(changes, self._present(mailbox_id, changes))
            if left:
                self._rows.transact(mailbox_id, left)

    def _present(self, mailbox_id: str, changes: Sequence[RowChange]) -> frozenset[str]:
        """Which of the rows to delete exist."""
        keys = [change.key for change in changes if change.verb is Verb.DELETE]
        found = zip(keys, self._lookup.by_key(mailbox_id, keys), strict=True)
        return frozenset(key for key, row in found if row is not None)
