"""The items according to the feed, kept as hashes: compares a mailbox of any size with its feed in little memory."""

import json

from shared.compact_index import CompactIndex
from shared.replica.encoding.pack import prefix
from shared.replica.port import ContentLocation, FeedChange, FeedKind, ReplicaItem
from shared.replica.reading.port import PAGE_NUMBERS, ReplicaReader, change_number

_NO_CONTENT = 0


class FeedState:
    """The state of every item according to the feed up to a page, including the content last written for it."""

    def __init__(self, reader: ReplicaReader, mailbox_id: str) -> None:
        self.sequence = 0
        self.unapplied = frozenset[str]()
        """The keys of the items in the last page, if a pass has not applied it to the items yet, or not wholly."""
        self._reader = reader
        self._mailbox_id = mailbox_id
        self._items = CompactIndex(columns=2)
        """By key: the hash of the item, and the hash of its content."""
        self._seen = CompactIndex()

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def read_new_pages(self) -> None:
        """Read the pages written since the last call. At most the last one can be one that is not applied."""
        last = set[str]()
        for numbered in self._reader.every_change(self._mailbox_id, change_number(self.sequence + 1, 0)):
            sequence = numbered.number // PAGE_NUMBERS
            if sequence > self.sequence:
                last.clear()
            self.sequence = sequence
            last.add(numbered.change.item.key)
            self._apply(numbered.change, prefix(self._mailbox_id, sequence))
        is_applied = self._reader.folders(self._mailbox_id).sequence >= self.sequence
        self.unapplied = frozenset() if is_applied else frozenset(last or self.unapplied)

    def matches(self, item: ReplicaItem) -> bool:
        """Whether an item of the table, including its content, equals the feed's. Records that the item was seen.

        The content's location is not compared: only the table has the current one, because compaction moves contents.
        """
        expected = self._items.get(item.key)
        if expected is None:
            return False
        self._seen.put(item.key)
        return expected == (_item_hash(item), _content_hash(item.located))

    def missing_keys(self) -> set[str]:
        """The keys of items in the feed that were not seen in the table. Reads the feed again only if there are any."""
        if len(self._seen) == len(self._items):
            return set()
        keys: set[str] = set()
        for numbered in self._reader.every_change(self._mailbox_id):
            if numbered.number >= change_number(self.sequence + 1, 0):
                break
            if self._is_missing(numbered.change.item.key):
                keys.add(numbered.change.item.key)
        return keys

    def _is_missing(self, key: str) -> bool:
        return key in self._items and key not in self._seen

    def _apply(self, change: FeedChange, own: str) -> None:
        key = change.item.key
        if change.kind is FeedKind.DELETE:
            self._items.pop(key)
            self._seen.pop(key)
            return
        before = self._items.get(key)
        if before is not None and _keeps_content(change, own):
            content = before[1]
        else:
            content = _content_hash(change.item.located)
        self._items.put(key, _item_hash(change.item), content)


def _keeps_content(change: FeedChange, own: str) -> bool:
    """Whether the previous content stays, whatever location the change has (see `row_changes`)."""
    if change.item.located is None:
        return change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG, FeedKind.RESTATE, FeedKind.LEAVE)
    return change.kind is not FeedKind.CREATE and not change.item.located.pack.startswith(own)


def _item_hash(item: ReplicaItem) -> int:
    """The hash of everything known about an item except its content's location."""
    metadata = json.dumps(dict(item.metadata), sort_keys=True)
    return hash(repr(item.with_changes(located=None, metadata={})) + metadata)


def _content_hash(located: ContentLocation | None) -> int:
    return hash((located.form, located.length, located.sha256)) if located else _NO_CONTENT
