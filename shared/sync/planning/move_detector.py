"""Pairs arrivals with removed items: of this round, of folders that are gone, or remembered from earlier rounds."""

from collections.abc import Iterable, Iterator

from shared.replica.port import ReplicaItem
from shared.sources.model import Item, ItemFailure
from shared.sync.planning.plan import FetchRequest
from shared.sync.planning.removed_items import RemovalMemory, RemovedItem, RemovedItems
from shared.sync.reading.item_fetcher import ItemFetcher
from shared.sync.state.replica_view import ReplicaView

Fetched = tuple[FetchRequest, Item | ItemFailure]


class MoveDetector:
    """Detects moves while folders are read."""

    def __init__(self, fetcher: ItemFetcher, replica: ReplicaView, memory: RemovalMemory) -> None:
        self._fetcher = fetcher
        self._replica = replica
        self._memory = memory
        self._vanished = RemovedItems()
        self._removed = RemovedItems()
        self._asked: set[str] = set()
        self._gone: set[str] = set()

    def begin_reading(self, vanished: Iterable[ReplicaItem] = ()) -> None:
        """Start reading folders. `vanished` are the items of folders that are gone; some may have been moved before."""
        self._vanished = RemovedItems(map(RemovedItem, vanished))
        self._asked, self._gone = set(), set()

    def begin_round(self, removed: Iterable[RemovedItem]) -> None:
        """Start a round in which these items were removed."""
        self._removed = RemovedItems(removed)

    def add(self, removed: RemovedItem) -> None:
        """Add an item that was removed in this round."""
        self._removed.add(removed)

    def replace_vanished(self, key: str, item: ReplicaItem) -> None:
        """Replace an item of a folder that is gone, because its row has changed."""
        self._vanished.replace(key, item)

    def deletions(self) -> Iterator[RemovedItem]:
        """Yield the removed items of this round that no arrival claimed; each is remembered."""
        for gone in self._removed.left():
            self._memory.remember(gone.item)
            yield gone

    def keep_memory(self) -> None:
        """Save the memory, when an arrival that claimed a remembered removal is written."""
        self._memory.save()

    @property
    def may_find_any(self) -> bool:
        """Whether there are any removed items that an arrival could claim."""
        return bool(self._removed or self._vanished or self._memory)

    def ask_who_is_gone(self, fetched: list[Fetched]) -> None:
        """Ask the source which removed items are gone, among those that share a move key with an arrival."""
        came = {item.move_key for request, item in fetched if isinstance(item, Item) and request.known is None}
        came.discard("")
        left = {*self._removed.ids(came), *self._vanished.ids(came), *self._memory.ids(came)} - self._asked
        self._asked |= left
        if left:
            self._gone |= self._fetcher.gone(fetched[0][0].folder, sorted(left))

    def claim(self, request: FetchRequest, item: Item) -> None:
        """Pair an arrival with a removed item: of this round, of a folder that is gone, or remembered."""
        if request.known is not None:
            self.claim_own(request)
            return
        request.moved_from = self._removed.claim(item, self._gone) or self._vanished.claim(item, self._gone)
        if request.moved_from is None:
            request.restored_from = self._restored(item)

    def claim_own(self, request: FetchRequest) -> None:
        """Claim the removal of an item that moved under the same id, so that it is not treated as a deletion."""
        if request.known is not None and request.moved_from is None:
            request.moved_from = self.take(request.known.key)

    def take(self, key: str) -> RemovedItem | None:
        """Claim the removal of the replica's item with this key."""
        return self._removed.claim_key(key) or self._vanished.claim_key(key)

    def _restored(self, item: Item) -> ReplicaItem | None:
        """Return the remembered removal that this arrival was. After a lost cursor, the memory can be older than the
        last compaction, which may have removed the content; then it is downloaded again, under the old key. An item
        that is still kept after it left is restored from its row."""
        restored = self._memory.claim(item, self._gone)
        if restored is None:
            return None
        if self._memory.items_may_be_kept:
            kept = self._replica.item(restored.key)
            if kept is not None and kept.left_at is not None:
                return kept
        if self._replica.has_stored(restored):
            return restored
        return restored.with_changes(located=None, content_key="")

    def unclaim(self, request: FetchRequest) -> None:
        """Release what a request claimed, because the request writes nothing."""
        if request.moved_from is not None:
            self._removed.add(request.moved_from)
        if request.restored_from is not None:
            self._memory.add(request.restored_from)
        request.moved_from = request.restored_from = None
