"""Erasing a mailbox's copy, in an order that lets nobody who writes or reads meanwhile bring anything back.

The fence becomes a tombstone before the first deletion. From then on every transaction on the rows fails, and whoever
writes a blob looks at the tombstone afterward and deletes the blob again: docs/decisions/0010-erasure.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import batched, islice

from shared.errors import Conflict
from shared.replica.encoding.item_rows import FENCE
from shared.replica.fence import FencedRows
from shared.replica.storage_port import CURSORS, FEED, PACKS, Blobs, Rows


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of one mailbox. Stopped at any point, it can be begun again."""

    blobs: Blobs
    rows: Rows
    fenced: FencedRows
    mailbox_id: str

    def run(self) -> Mapping[str, int]:
        """The tombstone, then the cursor, so that a pass under way is fenced; then rows, contents and the feed.

        But for the feed's first page: while that is there, whoever finds no cursor takes it for lost and rebuilds it.
        Gives how many items, packs and pages there were.
        """
        self.fenced.put_tombstone(self.mailbox_id)
        first = self._blobs_of(FEED, 1)
        self.blobs.delete(CURSORS, self.mailbox_id)
        self._blobs_of(CURSORS)
        return {"items": self._rows(), "packs": self._blobs_of(PACKS), "pages": self._blobs_of(FEED) + first}

    def forget(self) -> None:
        """Delete what a writer has left that died before it cleaned up, and the tombstone last."""
        self.run()
        self.fenced.delete(self.mailbox_id, [FENCE])

    def erase_late_writes(self) -> None:
        """After a compaction: a mailbox that has no fence any more was erased; what was written meanwhile goes too."""
        fence = self.fenced.fence(self.mailbox_id)
        if fence.erased or not fence.etag:
            self._blobs_of(PACKS)
            self._blobs_of(CURSORS)

    def undo(self, *written: tuple[str, str]) -> None:
        """Delete blobs just written, each a container and a name, if the mailbox was erased before they were.

        The tombstone is written before the erasure lists the blobs. So a blob is in the erasure's list, or its writer
        sees the tombstone here.

        Raises:
            Conflict: the mailbox has been erased.
        """
        if self.fenced.fence(self.mailbox_id).erased:
            for container, name in written:
                self.blobs.delete(container, name)
            raise Conflict("the mailbox has been erased")

    def _rows(self) -> int:
        items = 0
        rows = (row for row in self.rows.query(self.mailbox_id, only=("kind",)) if row["RowKey"] != FENCE)
        for batch in batched(rows, 100, strict=False):
            self.fenced.delete(self.mailbox_id, [str(row["RowKey"]) for row in batch])
            items += sum(bool(row.get("kind")) for row in batch)
        return items

    def _blobs_of(self, container: str, most: int | None = None) -> int:
        names = [blob.name for blob in islice(self.blobs.list(container, f"{self.mailbox_id}/"), most)]
        for name in names:
            self.blobs.delete(container, name)
        return len(names)
