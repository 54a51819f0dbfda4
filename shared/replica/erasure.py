"""Taking a mailbox's copy away, in an order that lets nobody who writes or reads meanwhile bring anything back."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import batched, islice

from shared.replica.entities import FENCE
from shared.replica.fence import FencedRows
from shared.replica.storage import CURSORS, FEED, PACKS, Blobs, Rows


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of one mailbox. Stopped at any point, it can be begun again."""

    blobs: Blobs
    rows: Rows
    fenced: FencedRows
    mailbox_id: str

    def run(self) -> Mapping[str, int]:
        """The cursor before all else, so that a pass under way is fenced; then rows, contents and the feed.

        But for the feed's first page: while that is there, whoever finds no cursor takes it for lost and rebuilds it.
        Gives how many items, packs and pages there were.
        """
        first = self._blobs_of(FEED, 1)
        self.blobs.delete(CURSORS, self.mailbox_id)
        self._blobs_of(CURSORS)
        return {"items": self._rows(), "packs": self._blobs_of(PACKS), "pages": self._blobs_of(FEED) + first}

    def follow(self) -> None:
        """A mailbox that has lost its fence was erased: what somebody has written meanwhile goes as well."""
        if not self.fenced.fence(self.mailbox_id).etag:
            self._blobs_of(PACKS)
            self._blobs_of(CURSORS)

    def _rows(self) -> int:
        self.fenced.delete(self.mailbox_id, [FENCE])
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
