"""Whether a replica is whole: every content as it was written, and every item as the feed tells it.

Passes go on while it is read, and reading all of it takes its time. So what seems wrong at first is looked at again
beside what the feed has told meanwhile; only what differs while nothing is written is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import Replica, ReplicaItem
from shared.replica.told import Told

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
    told = Told(replica, mailbox_id)
    told.read_on()
    found = Verified()
    for item in replica.items(mailbox_id):
        found.items += 1
        found.contents += item.located is not None
        _judge(replica, mailbox_id, item, told, found)
    found.only_in_feed = told.never_met()
    return _settled(replica, mailbox_id, told, found)


def _settled(replica: Replica, mailbox_id: str, told: Told, found: Verified) -> Verified:
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


def _look_again(replica: Replica, mailbox_id: str, keys: Iterable[str], told: Told, found: Verified) -> None:
    for key in keys:
        try:
            item = replica.item(mailbox_id, key)
        except NotFound:
            if key in told:
                found.only_in_feed.add(key)
        else:
            _judge(replica, mailbox_id, item, told, found)


def _judge(replica: Replica, mailbox_id: str, item: ReplicaItem, told: Told, found: Verified) -> None:
    if not told.agrees(item):
        found.different.add(item.key)
    if item.located is not None and not _is_whole(replica, mailbox_id, item):
        found.damaged.add(item.key)


def _is_whole(replica: Replica, mailbox_id: str, item: ReplicaItem) -> bool:
    try:
        replica.content(mailbox_id, item)
    except (NotFound, ItemUnusable):
        return False
    return True
