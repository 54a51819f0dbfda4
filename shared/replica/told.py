"""The items as the feed tells them, as hashes: a mailbox of any size is held against its feed in little memory.

Twenty-five bytes an item. Two items of one hash would be taken for one: among a million there is such a pair once in
forty million times, and hashes differ from one process to the next.
"""

import json
from array import array
from bisect import bisect_left

from shared.replica.pack import prefix
from shared.replica.port import FeedChange, FeedKind, Located, Replica, ReplicaItem

_SHARDS = 1024
"""With a million items an insertion moves some kilobytes."""
_NO_CONTENT = 0


class _Shard:
    """Some of the items, in the order of their keys' hashes."""

    def __init__(self) -> None:
        self.keys, self.items, self.contents, self.met = array("q"), array("q"), array("q"), bytearray()

    def place(self, key: int) -> tuple[int, bool]:
        """Where a key is, or would be; and whether it is."""
        place = bisect_left(self.keys, key)
        return place, place < len(self.keys) and self.keys[place] == key

    def put(self, key: int, item: int, content: int | None) -> None:
        """An item is like this now; without a content it keeps the one it has."""
        place, found = self.place(key)
        if not found:
            self.keys.insert(place, key)
            self.items.insert(place, item)
            self.contents.insert(place, content or _NO_CONTENT)
            self.met.insert(place, False)
            return
        self.items[place] = item
        if content is not None:
            self.contents[place] = content

    def drop(self, key: int) -> None:
        """There is no such item any more."""
        place, found = self.place(key)
        if found:
            for column in (self.keys, self.items, self.contents, self.met):
                del column[place]


class Told:
    """What the feed tells of every item up to a page, with the content that was last written for it."""

    def __init__(self, replica: Replica, mailbox_id: str) -> None:
        self.sequence = 0
        self._replica = replica
        self._mailbox_id = mailbox_id
        self._shards = [_Shard() for _ in range(_SHARDS)]

    def __contains__(self, key: str) -> bool:
        shard, hashed = self._of(key)
        return shard.place(hashed)[1]

    def read_on(self) -> None:
        """The pages that have come since, the last of them applied."""
        self._replica.load(self._mailbox_id)
        for page in self._replica.feed(self._mailbox_id, self.sequence):
            own = prefix(self._mailbox_id, page.sequence)
            for change in page.changes:
                self._take(change, own)
            self.sequence = page.sequence

    def agrees(self, item: ReplicaItem) -> bool:
        """Whether an item of the table is what the feed tells, its content too; it counts as met from then on.

        Where the content lies is the table's alone to say: compaction moves it.
        """
        shard, hashed = self._of(item.key)
        place, found = shard.place(hashed)
        if not found:
            return False
        shard.met[place] = True
        return shard.items[place] == _item_hash(item) and shard.contents[place] == _content_hash(item.located)

    def never_met(self) -> set[str]:
        """The keys of the items told of that the table has not shown. If there are any, the feed is read for them."""
        if all(all(shard.met) for shard in self._shards):
            return set()
        keys: set[str] = set()
        for page in self._replica.feed(self._mailbox_id):
            keys.update(change.item.key for change in page.changes if self._awaits(change.item.key))
            if page.sequence >= self.sequence:
                break
        return keys

    def _awaits(self, key: str) -> bool:
        shard, hashed = self._of(key)
        place, found = shard.place(hashed)
        return found and not shard.met[place]

    def _of(self, key: str) -> tuple[_Shard, int]:
        hashed = hash(key)
        return self._shards[hashed % _SHARDS], hashed

    def _take(self, change: FeedChange, own: str) -> None:
        shard, hashed = self._of(change.item.key)
        if change.kind is FeedKind.DELETE:
            shard.drop(hashed)
            return
        known = shard.place(hashed)[1]
        kept = known and _keeps_content(change, own)
        shard.put(hashed, _item_hash(change.item), None if kept else _content_hash(change.item.located))


def _keeps_content(change: FeedChange, own: str) -> bool:
    """Whether the content of before stays, whatever the change says of its place (see `row_changes`)."""
    if change.item.located is None:
        return change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG)
    return change.kind is not FeedKind.CREATE and not change.item.located.pack.startswith(own)


def _item_hash(item: ReplicaItem) -> int:
    """Of all that is known of an item but where its content lies."""
    metadata = json.dumps(dict(item.metadata), sort_keys=True)
    return hash(repr(item.having(located=None, metadata={})) + metadata)


def _content_hash(located: Located | None) -> int:
    return hash((located.form, located.length, located.sha256)) if located else _NO_CONTENT
