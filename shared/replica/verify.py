"""Whether a replica is whole: every content as it was written, and every item as the feed tells it.

Passes go on while it is read, and reading all of it takes its time. So what seems wrong at first is looked at again
beside what the feed has told meanwhile; only what differs while nothing is written is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.errors import ItemUnusable, NotFound
from shared.replica.pack import prefix
from shared.replica.port import FeedChange, FeedKind, Located, Replica, ReplicaItem

LOOKS = 5
"""How often what seems wrong is looked at again while passes keep writing."""


@dataclass(slots=True)
class Verified:
    """What verifying found: how much there is, and the keys of what is wrong with it."""

    items: int = 0
    contents: int = 0
    damaged: set[str] = field(default_factory=set)
    """Items whose content is not there, or not what was written."""
    different: set[str] = field(default_factory=set)
    """Items of which the feed tells something else, of their content too, or nothing."""
    only_in_feed: set[str] = field(default_factory=set)

    def wrong(self) -> set[str]:
        """All of them."""
        return self.damaged | self.different | self.only_in_feed


def verify(replica: Replica, mailbox_id: str) -> Verified:
    """Read every item and its content, and the feed from its beginning."""
    told = _Told(replica, mailbox_id)
    told.read_on()
    found = Verified()
    seen = set()
    for item in replica.items(mailbox_id):
        seen.add(item.key)
        found.items += 1
        found.contents += item.located is not None
        _judge(replica, mailbox_id, item, told, found)
    found.only_in_feed = told.items.keys() - seen
    return _settled(replica, mailbox_id, told, found)


def _settled(replica: Replica, mailbox_id: str, told: "_Told", found: Verified) -> Verified:
    """Look again at what is wrong until it is right, or wrong while nobody wrote."""
    for _ in range(LOOKS):
        if not found.wrong():
            break
        before = told.sequence
        told.read_on()
        again = Verified(found.items, found.contents)
        _look_again(replica, mailbox_id, found.wrong(), told, again)
        found = again
        if told.sequence == before:
            break
    return found


def _look_again(replica: Replica, mailbox_id: str, keys: Iterable[str], told: "_Told", found: Verified) -> None:
    for key in keys:
        try:
            item = replica.item(mailbox_id, key)
        except NotFound:
            if key in told.items:
                found.only_in_feed.add(key)
        else:
            _judge(replica, mailbox_id, item, told, found)


def _judge(replica: Replica, mailbox_id: str, item: ReplicaItem, told: "_Told", found: Verified) -> None:
    if not _agree(item, told.items.get(item.key)):
        found.different.add(item.key)
    if item.located is not None and not _is_whole(replica, mailbox_id, item):
        found.damaged.add(item.key)


def _agree(item: ReplicaItem, told: ReplicaItem | None) -> bool:
    """Whether item and feed say the same. Where the content lies is the item's alone to say: compaction moves it."""
    if told is None or item.having(located=None) != told.having(located=None):
        return False
    return _digest(item.located) == _digest(told.located)


def _digest(located: Located | None) -> tuple[str, int, str] | None:
    return (located.form, located.length, located.sha256) if located else None


def _is_whole(replica: Replica, mailbox_id: str, item: ReplicaItem) -> bool:
    try:
        replica.content(mailbox_id, item)
    except (NotFound, ItemUnusable):
        return False
    return True


class _Told:
    """The items as the feed tells them, each with the content that was last written for it."""

    def __init__(self, replica: Replica, mailbox_id: str) -> None:
        self._replica = replica
        self._mailbox_id = mailbox_id
        self.sequence = 0
        self.items: dict[str, ReplicaItem] = {}

    def read_on(self) -> None:
        """The pages that have come since, the last of them applied."""
        self._replica.load(self._mailbox_id)
        for page in self._replica.feed(self._mailbox_id, self.sequence):
            own = prefix(self._mailbox_id, page.sequence)
            for change in page.changes:
                self._take(change, own)
            self.sequence = page.sequence

    def _take(self, change: FeedChange, own: str) -> None:
        key = change.item.key
        before = self.items.pop(key, None)
        if change.kind is not FeedKind.DELETE:
            kept = before if _keeps_content(change, own) else None
            self.items[key] = change.item.having(located=kept.located) if kept else change.item


def _keeps_content(change: FeedChange, own: str) -> bool:
    """Whether the content of before stays, whatever the change says of its place (see `row_changes`)."""
    if change.item.located is None:
        return change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG)
    return change.kind is not FeedKind.CREATE and not change.item.located.pack.startswith(own)
