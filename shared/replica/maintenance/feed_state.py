"""The items as the feed tells them, as hashes: a mailbox of any size is held against its feed in little memory."""

import json

from shared.compact_index import CompactIndex
from shared.replica.encoding.pack import prefix
from shared.replica.port import ContentLocation, FeedChange, FeedKind, Replica, ReplicaItem

_NO_CONTENT = 0


class FeedState:
    """What the feed tells of every item up to a page, with the content that was last written for it."""

    def __init__(self, replica: Replica, mailbox_id: str) -> None:
        self.sequence = 0
        self._replica = replica
        self._mailbox_id = mailbox_id
        self._items = CompactIndex(columns=2)
        """By key: the hash of the item, and that of its content."""
        self._met = CompactIndex()

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def read_new_pages(self) -> None:
        """The pages that have come since, the last of them applied."""
        self._replica.load(self._mailbox_id)
        for page in self._replica.feed(self._mailbox_id, self.sequence):
            own = prefix(self._mailbox_id, page.sequence)
            for change in page.changes:
                self._take(change, own)
            self.sequence = page.sequence

    def matches(self, item: ReplicaItem) -> bool:
        """Whether an item of the table is what the feed tells, its content too; it counts as met from then on.

        Where the content lies is the table's alone to say: compaction moves it.
        """
        told = self._items.get(item.key)
        if told is None:
            return False
        self._met.put(item.key)
        return told == (_item_hash(item), _content_hash(item.located))

    def missing_keys(self) -> set[str]:
        """The keys of the items told of that the table has not shown. If there are any, the feed is read for them."""
        if len(self._met) == len(self._items):
            return set()
        keys: set[str] = set()
        for page in self._replica.feed(self._mailbox_id):
            keys.update(change.item.key for change in page.changes if self._awaits(change.item.key))
            if page.sequence >= self.sequence:
                break
        return keys

    def _awaits(self, key: str) -> bool:
        return key in self._items and key not in self._met

    def _take(self, change: FeedChange, own: str) -> None:
        key = change.item.key
        if change.kind is FeedKind.DELETE:
            self._items.pop(key)
            self._met.pop(key)
            return
        before = self._items.get(key)
        if before is not None and _keeps_content(change, own):
            content = before[1]
        else:
            content = _content_hash(change.item.located)
        self._items.put(key, _item_hash(change.item), content)


def _keeps_content(change: FeedChange, own: str) -> bool:
    """Whether the content of before stays, whatever the change says of its place (see `row_changes`)."""
    if change.item.located is None:
        return change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG)
    return change.kind is not FeedKind.CREATE and not change.item.located.pack.startswith(own)


def _item_hash(item: ReplicaItem) -> int:
    """Of all that is known of an item but where its content lies."""
    metadata = json.dumps(dict(item.metadata), sort_keys=True)
    return hash(repr(item.with_changes(located=None, metadata={})) + metadata)


def _content_hash(located: ContentLocation | None) -> int:
    return hash((located.form, located.length, located.sha256)) if located else _NO_CONTENT
