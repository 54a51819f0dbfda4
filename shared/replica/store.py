"""The replica in blobs and table rows: the order of writes, and how an interrupted commit is completed.

A page is committed by creating its feed page and by nothing else. Any process can repeat every later step:

    pack → feed page (only if absent) → rows, in transactions that each replace the fence → cursor (under its ETag)
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING

from shared.errors import Conflict, NotFound, Reason, RetryLater
from shared.replica.encoding import cursor_json, feed, page
from shared.replica.encoding.item_rows import has_left, is_item, item_from_row
from shared.replica.fence import FencedRows
from shared.replica.maintenance.compaction import Compaction, is_compaction_due, last_compaction
from shared.replica.maintenance.erasure import Erasure
from shared.replica.port import Cursor, FeedChange, FeedPage, PreparedPage, ReplicaItem, item_key
from shared.replica.reading.reader import BlobTableReader
from shared.replica.row_lookup import RowLookup
from shared.replica.storage_port import CURSORS, FEED, MOST_FOLDERS, PACKS, Blobs, RowChange, Rows

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

MAX_ATTEMPTS = 8
"""How often an operation is restarted after a conflict with another writer. With each conflict one writer succeeds."""


def _retried_on_conflict[**P, T](operation: Callable[P, T]) -> Callable[P, T]:
    """Restart the operation after a conflict with another writer, at most MAX_ATTEMPTS times."""

    @functools.wraps(operation)
    def retried(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MAX_ATTEMPTS):
            try:
                return operation(*args, **kwargs)
            except Conflict:
                continue
        raise RetryLater(Reason.CONFLICT, "conflict with another writer at every attempt")

    return retried


class BlobTableReplica:
    """Implements Replica."""

    def __init__(self, blobs: Blobs, rows: Rows) -> None:
        self._blobs = blobs
        self._rows = rows
        self._lookup = RowLookup(rows)
        self._fenced = FencedRows(rows, self._lookup)
        self._reader = BlobTableReader(blobs, rows)

    @classmethod
    def at(cls, blob_url: str, table_url: str, credential: "TokenCredential") -> "BlobTableReplica":
        """Create the replica for these Azure Storage endpoints. Connections open on first use."""
        from shared.replica.blob import AzureBlobs
        from shared.replica.table import AzureRows

        return cls(AzureBlobs(blob_url, credential), AzureRows(table_url, credential))

    def reader(self) -> BlobTableReader:
        """The read side, over the same connections."""
        return self._reader

    def close(self) -> None:
        """Close threads and connections; needed only if a process creates more than one replica."""
        self._lookup.close()
        self._blobs.close()
        self._rows.close()

    @_retried_on_conflict
    def load(self, mailbox_id: str, settled: str = "") -> Cursor:
        """Return the cursor, after completing an interrupted commit; rebuild a lost cursor from the feed."""
        cursor = self._stored_cursor(mailbox_id)
        if cursor is not None and settled and cursor.etag == settled:
            return cursor
        if cursor is None and self._fenced.fence(mailbox_id).erased:
            return Cursor()
        cursor = cursor or self._rebuilt(mailbox_id)
        while (found := self._blobs.get(FEED, feed.page_name(mailbox_id, cursor.sequence + 1))) is not None:
            step, changes = feed.decode(found.data)
            fence = self._fenced.fence(mailbox_id)
            fence.check_not_erased(cursor.sequence)
            self._fenced.apply(mailbox_id, cursor.sequence + 1, changes, fence)
            cursor = self._put_cursor(mailbox_id, cursor, cursor_json.step_from_json(cursor, step))
        return cursor

    def _stored_cursor(self, mailbox_id: str) -> Cursor | None:
        """Read the cursor blob. An unreadable one is treated as lost: it is rebuilt and later overwritten."""
        blob = self._blobs.get(CURSORS, mailbox_id)
        if blob is None:
            return None
        try:
            return cursor_json.cursor_from_json(json.loads(blob.data), blob.etag)
        except (ValueError, LookupError, TypeError, AttributeError):
            return replace(self._rebuilt(mailbox_id), etag=blob.etag)

    def _rebuilt(self, mailbox_id: str) -> Cursor:
        """Rebuild the cursor from the feed, as of the last page but one: `load` applies the last page again.

        The last page but one is certainly applied. Cursor updates stored without a page since then are lost; the sync
        only reads those changes again.
        """
        if self._blobs.get(FEED, feed.page_name(mailbox_id, 1)) is None:
            return Cursor()
        applied = max(feed.sequence_of(blob.name) for blob in self._blobs.list(FEED, f"{mailbox_id}/")) - 1
        return self._cursor_after(mailbox_id, applied) if applied > 0 else Cursor()

    def _cursor_after(self, mailbox_id: str, sequence: int) -> Cursor:
        """The cursor after a page, computed from the pages since the last one that names every folder."""
        numbers = range(cursor_json.last_full_page(sequence), sequence + 1)
        return cursor_json.apply_steps(
            Cursor(), (feed.first_line(self._page(mailbox_id, number)) for number in numbers)
        )

    def _page(self, mailbox_id: str, sequence: int) -> bytes:
        found = self._blobs.get(FEED, feed.page_name(mailbox_id, sequence))
        if found is None:
            raise NotFound("the feed has no such page")
        return found.data

    def commit(self, mailbox_id: str, cursor: Cursor, changes: Sequence[FeedChange], following: Cursor) -> Cursor:
        """Write one page, or only the cursor."""
        if not changes:
            return self._put_cursor(mailbox_id, cursor, replace(following, sequence=cursor.sequence))
        prepared = self.prepare(mailbox_id, cursor.sequence + 1, changes)
        return self.commit_prepared(mailbox_id, cursor, prepared, following)

    def prepare(self, mailbox_id: str, sequence: int, changes: Sequence[FeedChange]) -> PreparedPage:
        """Encode a page."""
        return PreparedPage(sequence, page.encode(mailbox_id, sequence, changes))

    def commit_prepared(self, mailbox_id: str, cursor: Cursor, prepared: PreparedPage, following: Cursor) -> Cursor:
        """Write a page that was encoded before."""
        encoded = prepared.encoded
        if prepared.sequence != cursor.sequence + 1 or not isinstance(encoded, page.EncodedPage):
            raise Conflict("the page was prepared to follow another one")
        following = replace(following, sequence=prepared.sequence)
        # Read before the page is committed: a writer that applies it before us replaces the fence; our ETag then fails.
        fence = self._fenced.fence(mailbox_id)
        fence.check_not_erased(cursor.sequence)
        packed = encoded.packed
        if packed.located:
            self._blobs.put(PACKS, packed.name, packed.data, members=len(packed.located))
        step = cursor_json.step_to_json(cursor, following)
        data = feed.with_first_line(mailbox_id, step, encoded.changes, encoded.lines)
        name = feed.page_name(mailbox_id, following.sequence)
        try:
            # The commit point: from here on, whoever finds the page completes it.
            self._put_once(FEED, name, data, absent=True, deletes=feed.deletes(data))
        except Conflict:
            self._erasure(mailbox_id).undo((PACKS, packed.name))
            raise
        try:
            self._fenced.apply_transactions(mailbox_id, following.sequence, encoded.transactions, fence)
            return self._put_cursor(mailbox_id, cursor, following)
        except Conflict:
            return self._overtaken(mailbox_id, cursor, following, packed.name)

    def _put_once(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        absent: bool = False,
        etag: str = "",
        deletes: bool | None = None,
    ) -> str:
        """Write a blob under a condition. A retry after a lost response finds its own, identical blob: that is
        accepted.
        """
        try:
            return self._blobs.put(container, name, data, absent=absent, etag=etag, deletes=deletes)
        except Conflict:
            existing = self._blobs.get(container, name)
            if existing is None or existing.data != data:
                raise
            return existing.etag

    def _overtaken(self, mailbox_id: str, cursor: Cursor, following: Cursor, packed: str) -> Cursor:
        """Complete our committed page after another writer changed the fence or cursor, as for any interrupted commit.

        A tombstone, or neither cursor nor fence: the mailbox has been erased, so what we just wrote is deleted.
        """
        written = (FEED, feed.page_name(mailbox_id, following.sequence)), (PACKS, packed)
        self._erasure(mailbox_id).undo(*written)
        if cursor.etag and self._stored_cursor(mailbox_id) is None and not self._fenced.fence(mailbox_id).etag:
            for container, name in written:
                self._blobs.delete(container, name)
            raise Conflict("the mailbox has been erased")
        now = self.load(mailbox_id)
        if now.sequence != following.sequence:
            raise Conflict("another writer has completed this page and written more")
        return now

    def _put_cursor(self, mailbox_id: str, before: Cursor, following: Cursor) -> Cursor:
        """Write the cursor under the previous ETag. The first one has none, so its writer checks for the tombstone."""
        data = json.dumps(cursor_json.cursor_to_json(following), separators=(",", ":")).encode()
        etag = self._put_once(CURSORS, mailbox_id, data, absent=not before.etag, etag=before.etag)
        if not before.etag:
            self._erasure(mailbox_id).undo((CURSORS, mailbox_id))
        return replace(following, etag=etag)

    def find(self, mailbox_id: str, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        """Find items by source id, from before or after a move: one point read, two after a move; many by a scan."""
        wanted = list(dict.fromkeys(source_ids))
        rows = self._lookup.by_key(mailbox_id, [item_key(source_id) for source_id in wanted])
        aliases = {index: str(row["item"]) for index, row in enumerate(rows) if row and "item" in row}
        moved = self._lookup.by_key(mailbox_id, list(aliases.values()))
        for index, row in zip(aliases, moved, strict=True):
            rows[index] = row
        return {
            source_id: item_from_row(row) for source_id, row in zip(wanted, rows, strict=True) if row and is_item(row)
        }

    def items(self, mailbox_id: str, *folder_ids: str) -> Iterator[ReplicaItem]:
        """Scan the mailbox's rows. One folder costs the store as much as all folders, so read all when possible."""
        for some in batched(folder_ids, MOST_FOLDERS, strict=False) if folder_ids else ((),):
            rows = self._rows.query(mailbox_id, folders=some)
            yield from (item_from_row(row) for row in rows if is_item(row) and not has_left(row))

    def left_items(self, mailbox_id: str) -> Iterator[ReplicaItem]:
        """Query the rows that have left. Such a row has no folder, so no query for a folder finds it."""
        rows = self._rows.query(mailbox_id, left=True)
        return (item_from_row(row) for row in rows if is_item(row))

    def source_ids(self, mailbox_id: str) -> Iterator[str]:
        """Scan for this one property. The fence and the aliases do not have it."""
        rows = self._rows.query(mailbox_id, only=("source_id",))
        return (str(row["source_id"]) for row in rows if row.get("source_id"))

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """Return one item."""
        return self._reader.item(mailbox_id, key)

    def content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """One item's bytes, checked."""
        return self._reader.whole_content(mailbox_id, item)

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Many items' bytes, a stretch of a pack at a time."""
        return self._reader.contents(mailbox_id, items)

    def feed(self, mailbox_id: str, after: int = 0) -> Iterator[FeedPage]:
        """Iterate over the pages in order, each with the complete cursor that follows it."""
        cursor = self._cursor_after(mailbox_id, after) if after else Cursor()
        while (found := self._blobs.get(FEED, feed.page_name(mailbox_id, cursor.sequence + 1))) is not None:
            step, changes = feed.decode(found.data)
            cursor = cursor_json.step_from_json(cursor, step)
            yield FeedPage(cursor.sequence, changes, cursor)

    def put_derived(self, mailbox_id: str, name: str, data: bytes) -> None:
        """Store the document in the container of cursors. The last writer wins, except against an erasure."""
        self._blobs.put(CURSORS, f"{mailbox_id}/{name}", data)
        self._erasure(mailbox_id).undo((CURSORS, f"{mailbox_id}/{name}"))

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """Return a derived document."""
        return self._reader.derived(mailbox_id, name)

    @_retried_on_conflict
    def compact(
        self, mailbox_id: str, now: datetime, deleted_days: int, on_hold: Callable[[], bool] = lambda: False
    ) -> int:
        """Remove the bytes of deleted items, if that is due; see compaction.py."""
        last = last_compaction(self._blobs, mailbox_id)
        if not is_compaction_due(last.at, now, deleted_days):
            return 0
        cursor = self.load(mailbox_id)
        fence = self._fenced.settled_fence(mailbox_id, cursor.sequence)
        if not fence.etag or fence.erased:
            return 0

        def move(run: Sequence[RowChange]) -> None:
            nonlocal fence
            fence = self._fenced.transact(mailbox_id, run, fence)

        try:
            compaction = Compaction(self._blobs, self._rows, mailbox_id, cursor.sequence, now, move, on_hold)
            freed = compaction.run(last.sequence)
        except Conflict:
            self._erasure(mailbox_id).erase_late_writes()
            raise
        self._erasure(mailbox_id).erase_late_writes()
        return freed

    def erase(self, mailbox_id: str) -> Mapping[str, int]:
        """Delete everything of the mailbox; see erasure.py."""
        return self._erasure(mailbox_id).run()

    def forget_erased(self, mailbox_id: str) -> None:
        """Delete what is left, and the tombstone."""
        self._erasure(mailbox_id).forget()

    def _erasure(self, mailbox_id: str) -> Erasure:
        return Erasure(self._blobs, self._rows, self._fenced, mailbox_id)
