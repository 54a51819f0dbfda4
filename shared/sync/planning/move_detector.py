"""Pairing what arrives with what left, in this round, from folders that are gone, or a little while ago."""

from collections.abc import Iterable, Iterator

from shared.errors import Reason
from shared.replica.port import ReplicaItem
from shared.sources.port import ContentLevel, Item, ItemFailure
from shared.sync.planning.moves import RemovalMemory, RemovedItem, RemovedItems
from shared.sync.planning.plan import FetchRequest
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
        """Folders are read anew. `vanished` are the items of folders that are gone: some may have been moved before."""
        self._vanished = RemovedItems(map(RemovedItem, vanished))
        self._asked, self._gone = set(), set()

    def begin_round(self, removed: Iterable[RemovedItem]) -> None:
        """These items left in the round that begins."""
        self._removed = RemovedItems(removed)

    def add(self, removed: RemovedItem) -> None:
        """One more that left in this round."""
        self._removed.add(removed)

    def deletions(self) -> Iterator[RemovedItem]:
        """What left in this round and nobody claimed; each is remembered."""
        for gone in self._removed.left():
            self._memory.remember(gone.item)
            yield gone

    def keep_memory(self) -> None:
        """An arrival that claimed a remembered removal is being written."""
        self._memory.save()

    @property
    def may_find_any(self) -> bool:
        """Whether anything has left that an arrival may be the other side of."""
        return bool(self._removed or self._vanished or self._memory)

    def ask_who_is_gone(self, fetched: list[Fetched]) -> None:
        """Of the items that left and share a move key with one that came: which are certainly no more."""
        came = {item.move_key for request, item in fetched if isinstance(item, Item) and request.known is None}
        came.discard("")
        left = {*self._removed.ids(came), *self._vanished.ids(came), *self._memory.ids(came)} - self._asked
        self._asked |= left
        if left:
            results = self._fetcher.fetch(fetched[0][0].folder, sorted(left), ContentLevel.METADATA)
            self._gone |= {
                result.item_id
                for result in results
                if isinstance(result, ItemFailure) and result.reason is Reason.ITEM_GONE
            }

    def claim(self, request: FetchRequest, item: Item) -> None:
        """Pair an arrival with what left: in this round, from a folder that is gone, or a little while ago."""
        if request.known is not None:
            self.claim_own(request)
            return
        request.moved_from = self._removed.claim(item, self._gone) or self._vanished.claim(item, self._gone)
        if request.moved_from is None:
            request.restored_from = self._restored(item)

    def claim_own(self, request: FetchRequest) -> None:
        """An item that the replica knows has moved under its own id: what it left behind is no deletion."""
        if request.known is not None and request.moved_from is None:
            request.moved_from = self.take(request.known.key)

    def take(self, key: str) -> RemovedItem | None:
        """Claim what a certain item of the replica left behind."""
        return self._removed.claim_key(key) or self._vanished.claim_key(key)

    def _restored(self, item: Item) -> ReplicaItem | None:
        """A remembered removal. After a lost cursor the memory is older than the last compaction, so its content may be
        gone by now: then it is downloaded again, under the old key."""
        restored = self._memory.claim(item, self._gone)
        if restored is None or self._replica.has_stored(restored):
            return restored
        return restored.with_changes(located=None, content_key="")

    def unclaim(self, request: FetchRequest) -> None:
        """The request comes to nothing: what it claimed is there for others."""
        if request.moved_from is not None:
            self._removed.add(request.moved_from)
        if request.restored_from is not None:
            self._memory.add(request.restored_from)
        request.moved_from = request.restored_from = None
