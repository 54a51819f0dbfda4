"""The port for reading a replica. Nothing here writes, and nothing holds more than one page, or pack, in memory.

Every change has a *number*: the number of its feed page times `PAGE_NUMBERS`, plus its place in the page, from one.
Numbers increase but are not consecutive. A consumer that stores the number of the last change it has processed
continues from there, also in the middle of a page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.replica.port import ContentLocation, FeedChange, FolderState, ReplicaItem
from shared.sources.model import ItemKind

PAGE_NUMBERS = 1_000_000
"""Numbers that belong to one feed page. A page has far fewer changes, and 2^53 such numbers are nine billion pages."""
MAX_NUMBER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8259, section 6)."""


def change_number(sequence: int, place: int) -> int:
    """The number of a change: its feed page, and its place in the page, from one."""
    return sequence * PAGE_NUMBERS + place


@dataclass(frozen=True, slots=True)
class ItemRange:
    """Which items of a mailbox to read, as far as storage can tell. Empty fields do not limit."""

    folder_id: str = ""
    kind: ItemKind | None = None
    at_from: datetime | None = None
    """The first time of `ReplicaItem.at`, aware UTC, in whole seconds. Items without a time are left out."""
    at_until: datetime | None = None
    """The time before which `ReplicaItem.at` is, aware UTC, in whole seconds."""
    left: bool = False
    """The items that left the mailbox, instead of those in it; `folder_id` is then the folder that they were in."""


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Items in the order of their keys, and the key after which the next page begins; empty after the last page."""

    items: tuple[ReplicaItem, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """One change of the feed. `redacted`: the item was deleted since, and only its ids and kind are left."""

    number: int
    change: FeedChange
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class FolderMap:
    """A mailbox's folders by id, and the number of the last feed page that its item table includes."""

    sequence: int
    folders: Mapping[str, FolderState]


class ReplicaReader(Protocol):
    """Reads copies of mailboxes. Safe to use from several threads. A mailbox without a replica is empty."""

    def folders(self, mailbox_id: str) -> FolderMap:
        """Return the folders. Takes one request."""
        ...

    def items(self, mailbox_id: str, after: str, limit: int, wanted: ItemRange) -> ItemPage:
        """Return at most `limit` (up to 1,000) items with keys after `after`. Takes one request in most cases."""
        ...

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """Return one item. Takes one request. Raises NotFound."""
        ...

    def content(self, mailbox_id: str, located: ContentLocation, start: int, length: int) -> bytes | None:
        """Return `length` bytes of a content from `start`; None if it has moved: read the item again. One request.

        Raises:
            NotFound: the location is another mailbox's.
            ItemUnusable: the whole content was read, and it is not what was stored.
        """
        ...

    def changes(self, mailbox_id: str, after: int, limit: int) -> list[NumberedChange]:
        """Return at most `limit` changes after the number `after`, in order. Takes a request for each feed page."""
        ...

    def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
        """Iterate over all items in the order of their keys, one page at a time; or over all that left the mailbox."""
        ...

    def every_change(self, mailbox_id: str, after: int = 0) -> Iterator[NumberedChange]:
        """Iterate over all changes after the number `after`, in order, one feed page at a time."""
        ...

    def whole_content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """Return an item's content; its row is read again if compaction has moved the content since.

        Raises:
            NotFound: it has none.
            ItemUnusable: it is not what was stored.
        """
        ...

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Many items with their bytes, each once and in any order, by as few reads as there are packs.

        None in place of bytes that are not where the item says, or not what was written: `whole_content` says more.
        """
        ...

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """Return a document that was computed from the mailbox. Raises NotFound."""
        ...
