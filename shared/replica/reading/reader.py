"""Reads replicas from blobs and table rows. Readers run beside the sync, which may be in the middle of a commit."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched

from shared.errors import ItemUnusable, NotFound, Reason
from shared.replica.content_reader import ContentReader
from shared.replica.encoding import cursor_json, feed, pack
from shared.replica.encoding.item_rows import has_left, is_item, item_from_row
from shared.replica.port import ContentLocation, Cursor, ReplicaItem
from shared.replica.reading.port import (
    MAX_NUMBER,
    PAGE_NUMBERS,
    FolderMap,
    ItemPage,
    ItemRange,
    NumberedChange,
    change_number,
)
from shared.replica.reading.read_ahead import read_ahead
from shared.replica.storage_port import CURSORS, FEED, PACKS, Blobs, Rows, RowsFilter

MAX_LENGTHS = 10_000
"""Pages whose lengths are remembered."""
MAX_PAGE = 1_000
"""Most items of a page: as many rows as Table Storage returns in one response."""


class BlobTableReader:
    """Implements ReplicaReader."""

    def __init__(self, blobs: Blobs, rows: Rows) -> None:
        self._blobs = blobs
        self._rows = rows
        self._contents = ContentReader(blobs)
        self._lengths: OrderedDict[str, int] = OrderedDict()
        """How many changes the pages have that were read last. A page never gets more or fewer."""
        self._lock = threading.Lock()

    def folders(self, mailbox_id: str) -> FolderMap:
        """Read the cursor blob. While it is lost, which the next pass repairs, the folders are unknown."""
        blob = self._blobs.get(CURSORS, mailbox_id)
        cursor = Cursor()
        if blob is not None:
            try:
                cursor = cursor_json.cursor_from_json(json.loads(blob.data))
            except (ValueError, LookupError, TypeError, AttributeError):
                cursor = Cursor()
        return FolderMap(cursor.sequence, cursor.folders)

    def items(self, mailbox_id: str, after: str, limit: int, wanted: ItemRange) -> ItemPage:
        """Scan rows. Rows of other items, aliases, and the fence are dropped, so a page may hold fewer items."""
        most = min(limit, MAX_PAGE)
        rows = self._rows.scan(mailbox_id, after=after, limit=most, wanted=_filter(wanted))
        following = str(rows[-1]["RowKey"]) if len(rows) == most else ""
        items = (item_from_row(row) for row in rows if is_item(row) and has_left(row) is wanted.left)
        return ItemPage(tuple(items), following)

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """Read one row."""
        found = self._rows.get(mailbox_id, key) if key.isalnum() and key.isascii() else None
        if found is None or not is_item(found[0]):
            raise NotFound("no such item")
        return item_from_row(found[0])

    def content(self, mailbox_id: str, located: ContentLocation, start: int, length: int) -> bytes | None:
        """Read a range of a pack. A whole content is checked against its digest; a part has none of its own."""
        if not located.pack.startswith(f"{mailbox_id}/"):
            raise NotFound("the content is another mailbox's")
        data = self._blobs.get_range(PACKS, located.pack, located.offset + start, length)
        if data is not None and length == located.length and not pack.is_whole(located, data):
            raise ItemUnusable(Reason.ITEM_CORRUPT, "the stored bytes are not those that were written")
        return data

    def changes(self, mailbox_id: str, after: int, limit: int) -> list[NumberedChange]:
        """Read pages until there are enough changes, or no further page."""
        sequence, place = divmod(after, PAGE_NUMBERS)
        found: list[NumberedChange] = []
        while len(found) < limit:
            is_read = not sequence or place >= self._length(feed.page_name(mailbox_id, sequence))
            page = [] if is_read else self._changes_of(mailbox_id, sequence)
            if page is None:
                break
            found += page[place : place + limit - len(found)]
            sequence, place = sequence + 1, 0
        return found

    def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
        """Scan the mailbox's rows, a response ahead."""
        for rows in read_ahead(batched(self._rows.query(mailbox_id, left=left), MAX_PAGE, strict=False)):
            yield from (item_from_row(row) for row in rows if is_item(row) and has_left(row) is left)

    def every_change(self, mailbox_id: str, after: int = 0) -> Iterator[NumberedChange]:
        """Read page after page."""
        sequence, place = divmod(max(after, change_number(1, 0)), PAGE_NUMBERS)
        while (page := self._changes_of(mailbox_id, sequence)) is not None:
            yield from page[place:]
            sequence, place = sequence + 1, 0

    def whole_content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """One item's bytes; looked up again when compaction has moved them since `item` was read."""
        data = self._contents.one(mailbox_id, item)
        if data is None:
            data = self._contents.one(mailbox_id, self.item(mailbox_id, item.key))
        if data is None:
            raise NotFound("the item has no content")
        return data

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Many items' bytes, a stretch of a pack at a time."""
        return self._contents.several(mailbox_id, items)

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """Read the document from the container of cursors."""
        found = self._blobs.get(CURSORS, f"{mailbox_id}/{name}")
        if found is None:
            raise NotFound("no such document")
        return found.data

    def _length(self, name: str) -> int:
        """How many changes a page has, if it was read lately; a reader that waits for the next page asks again."""
        with self._lock:
            return self._lengths.get(name, MAX_NUMBER)

    def _changes_of(self, mailbox_id: str, sequence: int) -> list[NumberedChange] | None:
        name = feed.page_name(mailbox_id, sequence)
        blob = self._blobs.get(FEED, name)
        if blob is None:
            return None
        _, *lines = blob.data.splitlines()
        with self._lock:
            self._lengths[name] = len(lines)
            self._lengths.move_to_end(name)
            if len(self._lengths) > MAX_LENGTHS:
                self._lengths.popitem(last=False)
        return [
            NumberedChange(change_number(sequence, place), feed.decode_line(line), feed.is_redacted(line))
            for place, line in enumerate(lines, 1)
        ]


def _filter(wanted: ItemRange) -> RowsFilter:
    """The filter of rows. Times are stored as ISO texts in UTC, so they compare as texts up to the seconds."""
    return RowsFilter(
        folder=wanted.folder_id,
        kind=wanted.kind.value if wanted.kind else "",
        at_from=_text(wanted.at_from) if wanted.at_from else "",
        at_until=_text(wanted.at_until) if wanted.at_until else "",
        left=wanted.left,
    )


def _text(at: datetime) -> str:
    """The time as stored texts begin; the year always has four digits, which `strftime` does not promise."""
    return at.replace(microsecond=0, tzinfo=None).isoformat()
