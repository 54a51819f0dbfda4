"""Checks that a replica is intact: every content is as it was written, and every item is as the feed says.

Passes continue during the check, and reading everything takes time. So every mismatch is checked again, together with
the feed pages written meanwhile. Only a mismatch that persists while nothing is written is an error. What a crash left
to be applied to the items is not: the next pass does that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import batched, chain

from shared.errors import ItemUnusable, NotFound
from shared.replica.maintenance.feed_state import FeedState
from shared.replica.port import ReplicaItem
from shared.replica.reading.port import ReplicaReader

AT_ONCE = 2000
"""Items whose contents are read together: more of them lie side by side in a pack."""

MAX_RECHECKS = 5
"""How often mismatches are checked again while passes keep writing."""


@dataclass(slots=True)
class VerifyResult:
    """What the check found: the number of items, also of those that left, and of contents; the keys of faulty items."""

    items: int = 0
    contents: int = 0
    damaged: set[str] = field(default_factory=set)
    """Items whose content is missing or not what was written."""
    different: set[str] = field(default_factory=set)
    """Items that differ from the feed, in their content or otherwise, or that the feed does not have."""
    only_in_feed: set[str] = field(default_factory=set)

    def wrong(self) -> set[str]:
        """All faulty keys."""
        return self.damaged | self.different | self.only_in_feed


def verify(
    reader: ReplicaReader, mailbox_id: str, progress: Callable[[int], None] = lambda count: None
) -> VerifyResult:
    """Read every item and its content, and the feed from its beginning; `progress` is told how many items were."""
    feed_state = FeedState(reader, mailbox_id)
    feed_state.read_new_pages()
    found = VerifyResult()
    kept = chain(reader.every_item(mailbox_id), reader.every_item(mailbox_id, left=True))
    for batch in batched(kept, AT_ONCE, strict=False):
        found.items += len(batch)
        found.different |= {item.key for item in batch if not feed_state.matches(item)}
        with_content = [item for item in batch if item.located is not None]
        found.contents += len(with_content)
        for item, data in reader.contents(mailbox_id, with_content):
            if data is None and not _is_whole(reader, mailbox_id, item):
                found.damaged.add(item.key)
        progress(found.items)
    found.only_in_feed = feed_state.missing_keys()
    return _settled(reader, mailbox_id, feed_state, found)


def _settled(reader: ReplicaReader, mailbox_id: str, feed_state: FeedState, found: VerifyResult) -> VerifyResult:
    """Check mismatches again until they are resolved, or persist while nobody writes."""
    for _ in range(MAX_RECHECKS):
        if not found.wrong():
            break
        before = feed_state.sequence
        feed_state.read_new_pages()
        again = VerifyResult(found.items, found.contents)
        _recheck(reader, mailbox_id, found.wrong(), feed_state, again)
        found = again
        if feed_state.sequence == before:
            break
    return found


def _recheck(
    reader: ReplicaReader, mailbox_id: str, keys: Iterable[str], feed_state: FeedState, found: VerifyResult
) -> None:
    for key in keys:
        if key in feed_state.unapplied:
            continue
        try:
            item = reader.item(mailbox_id, key)
        except NotFound:
            if key in feed_state:
                found.only_in_feed.add(key)
        else:
            _check_item(reader, mailbox_id, item, feed_state, found)


def _check_item(
    reader: ReplicaReader, mailbox_id: str, item: ReplicaItem, feed_state: FeedState, found: VerifyResult
) -> None:
    if not feed_state.matches(item):
        found.different.add(item.key)
    if item.located is not None and not _is_whole(reader, mailbox_id, item):
        found.damaged.add(item.key)


def _is_whole(reader: ReplicaReader, mailbox_id: str, item: ReplicaItem) -> bool:
    try:
        reader.whole_content(mailbox_id, item)
    except (NotFound, ItemUnusable):
        return False
    return True
