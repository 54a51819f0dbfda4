"""How a page reaches the rows: in transactions that each move the fence, so that a late writer changes nothing.

The fence is a row of the mailbox's partition. Every transaction replaces it under the ETag its writer last saw. It says
which page is being applied and whether all of it is. A writer that was overtaken, however late it wakes up, holds an
old ETag: none of its rows can overwrite newer ones. And a page that is known to be applied is never applied again.
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
    """Which page the rows are at. `applied`: all of it, not only some transactions. No ETag: there is no fence yet.

    `erased`: the fence is a tombstone. The mailbox was erased, and nothing may be written under its id again.
    """

    sequence: int = 0
    applied: bool = True
    etag: str = ""
    erased: bool = False

    def has_applied(self, sequence: int) -> bool:
        """Whether that page has taken effect in full."""
        return self.sequence > sequence or (self.sequence == sequence and self.applied)


class FencedRows:
    """The table's rows, changed under the fence."""

    def __init__(self, rows: Rows, lookup: RowLookup) -> None:
        self._rows = rows
        self._lookup = lookup

    def fence(self, mailbox_id: str) -> Fence:
        """The fence as it stands."""
        found = self._rows.get(mailbox_id, FENCE)
        if found is None:
            return Fence()
        row, etag = found
        return Fence(int(row["sequence"]), row["state"] == "applied", etag, row["state"] == "erased")

    def settled_fence(self, mailbox_id: str, sequence: int) -> Fence:
        """The fence when the rows are at this page exactly, or a tombstone.

        Raises:
            Conflict: a writer is about to go on.
        """
        fence = self.fence(mailbox_id)
        if fence.etag and not fence.erased and (fence.sequence != sequence or not fence.applied):
            raise Conflict("a page is being applied")
        return fence

    def apply(self, mailbox_id: str, sequence: int, changes: Sequence[FeedChange], fence: Fence) -> None:
        """Make the rows say what the page says, unless they do. Raises Conflict for an erased mailbox."""
        if fence.erased:
            raise Conflict("the mailbox has been erased")
        if fence.has_applied(sequence):
            return
        runs = list(split_into_transactions(row_changes(changes, pack.prefix(mailbox_id, sequence))))
        for number, run in enumerate(runs, 1):
            fence = self.transact(mailbox_id, run, replace(fence, sequence=sequence, applied=number == len(runs)))

    def transact(self, mailbox_id: str, run: Sequence[RowChange], fence: Fence) -> Fence:
        """One transaction that moves the fence; once more with fewer assumptions when a row is not as expected.

        Raises:
            Conflict: somebody else has moved the fence.
        """
        row = {"sequence": fence.sequence, "state": "applied" if fence.applied else "applying"}
        moved = RowChange(Verb.REPLACE if fence.etag else Verb.INSERT, FENCE, row, fence.etag)
        try:
            etags = self._rows.transact(mailbox_id, [moved, *run])
        except (RowExists, RowMissing):
            # Under the fence nobody can add or remove rows between this look and the transaction.
            etags = self._rows.transact(mailbox_id, [moved, *unconditional(run, self._present(mailbox_id, run))])
        return replace(fence, etag=etags[0])

    def put_tombstone(self, mailbox_id: str) -> None:
        """Turn the fence into a tombstone, whatever it says: every transaction under an earlier look at it now fails.

        The largest sequence number makes a program that does not know the state take every page for applied.
        """
        row: Row = {"sequence": MAX_INT32, "state": "erased"}
        self._rows.transact(mailbox_id, [RowChange(Verb.REPLACE, FENCE, row)])

    def delete(self, mailbox_id: str, keys: Sequence[str]) -> None:
        """Delete rows, the fence among them; some may be gone already. At most 100."""
        run = [RowChange(Verb.DELETE, key) for key in keys]
        try:
            self._rows.transact(mailbox_id, run)
        except RowMissing:
            left = unconditional(run, self._present(mailbox_id, run))
            if left:
                self._rows.transact(mailbox_id, left)

    def _present(self, mailbox_id: str, run: Sequence[RowChange]) -> frozenset[str]:
        """Which of the rows to be deleted are there."""
        keys = [change.key for change in run if change.verb is Verb.DELETE]
        found = zip(keys, self._lookup.by_key(mailbox_id, keys), strict=True)
        return frozenset(key for key, row in found if row is not None)
