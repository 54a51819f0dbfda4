"""Erases a mailbox's replica in an order in which no concurrent writer or reader can bring anything back.

The fence becomes a tombstone before the first deletion. From then on every transaction on the rows fails. Whoever
writes a blob checks for the tombstone afterward and deletes the blob again: docs/decisions/0010-erasure.md.
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
    """The erasure of one mailbox. It can be interrupted at any point and repeated."""

    blobs: Blobs
    rows: Rows
    fenced: FencedRows
    mailbox_id: str

    def run(self) -> Mapping[str, int]:
        """Write the tombstone, then delete the cursor, so that a running pass is fenced; then all the rest.

        The feed's first page is deleted before the cursor: while it exists, a reader that finds no cursor takes it for
        lost and rebuilds it. Returns the number of items, packs and pages that existed.
        """
        self.fenced.put_tombstone(self.mailbox_id)
        first = self._blobs_of(FEED, 1)
        self.blobs.delete(CURSORS, self.mailbox_id)
        self._blobs_of(CURSORS)
        return {"items": self._rows(), "packs": self._blobs_of(PACKS), "pages": self._blobs_of(FEED) + first}

    def forget(self) -> None:
        """Delete what a writer left that died before its cleanup, and the tombstone last."""
        self.run()
        self.fenced.delete(self.mailbox_id, [FENCE])

    def erase_late_writes(self) -> None:
        """After a compaction: if the mailbox was erased meanwhile, delete what was written since then."""
        fence = self.fenced.fence(self.mailbox_id)
        if fence.erased or not fence.etag:
            self._blobs_of(PACKS)
            self._blobs_of(CURSORS)

    def undo(self, *written: tuple[str, str]) -> None:
        """Delete blobs just written, each a container and a name, if the mailbox was erased before they were.

        The tombstone is written before the erasure lists the blobs. So either the erasure lists the blob, or its writer
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
        for batch in batched(self.rows.query(self.mailbox_id, only=("kind",)), 100, strict=False):
            self.fenced.delete(self.mailbox_id, [str(row["RowKey"]) for row in batch])
            items += sum(bool(row.get("kind")) for row in batch)
        return items

    def _blobs_of(self, container: str, most: int | None = None) -> int:
        names = [blob.name for blob in islice(self.blobs.list(container, f"{self.mailbox_id}/"), most)]
        for name in names:
            self.blobs.delete(container, name)
        return len(names)
