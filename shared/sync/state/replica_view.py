"""One mailbox's replica, including all changes so far."""

from collections.abc import Collection, Iterable, Iterator

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import Replica, ReplicaItem
from shared.sync.state.page_writer import PageWriter


class ReplicaView:
    """Reads the replica after all pending pages have been written."""

    def __init__(self, replica: Replica, mailbox_id: str, pages: PageWriter) -> None:
        self._replica = replica
        self._mailbox_id = mailbox_id
        self._pages = pages

    def find(self, source_ids: list[str]) -> dict[str, ReplicaItem]:
        """Return the items with these source ids, by source id."""
        if not source_ids:
            return {}
        self._pages.flush()
        return self._replica.find(self._mailbox_id, source_ids)

    def item(self, key: str) -> ReplicaItem | None:
        """Return an item, or None if it does not exist any more."""
        self._pages.flush()
        try:
            return self._replica.item(self._mailbox_id, key)
        except NotFound:
            return None

    def items(self, folder_id: str) -> Iterator[ReplicaItem]:
        """Yield a folder's items."""
        self._pages.flush()
        return self._replica.items(self._mailbox_id, folder_id)

    def items_in(self, folder_ids: Collection[str], *, nearly_all: bool) -> Iterator[ReplicaItem]:
        """Yield the items of several folders in any order. `nearly_all`: they hold most items, so all rows are read."""
        self._pages.flush()
        if nearly_all:
            return (item for item in self._replica.items(self._mailbox_id) if item.folder_id in folder_ids)
        return self._replica.items(self._mailbox_id, *folder_ids)

    def left_items(self, folder_id: str) -> Iterator[ReplicaItem]:
        """Yield the items that left the mailbox and were in this folder."""
        self._pages.flush()
        return (item for item in self._replica.left_items(self._mailbox_id) if item.left_folder_id == folder_id)

    def items_of(self, folder_ids: Iterable[str]) -> Iterator[ReplicaItem]:
        """Yield the items of several folders."""
        for folder_id in folder_ids:
            yield from self.items(folder_id)

    def source_ids(self) -> Iterator[str]:
        """Yield the source ids of all items."""
        self._pages.flush()
        return self._replica.source_ids(self._mailbox_id)

    def has_stored(self, item: ReplicaItem) -> bool:
        """Whether an item's content can still be read."""
        if item.located is None:
            return True
        try:
            return bool(self._replica.content(self._mailbox_id, item)) or item.located.length == 0
        except (NotFound, ItemUnusable):
            return False

    def derived(self, name: str) -> bytes:
        """Return a derived document; empty if there is none."""
        try:
            return self._replica.derived(self._mailbox_id, name)
        except NotFound:
            return b""

    def put_derived(self, name: str, data: bytes) -> None:
        """Replace a derived document."""
        self._replica.put_derived(self._mailbox_id, name, data)
