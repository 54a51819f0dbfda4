"""Gives two items a key each that the replica holds as one.

A copy takes the key of an item with the same move key that is gone (move_detector.py). If that item is recovered under
its old id, the id leads to the copy's row, and one of them would take the row from the other. So an arrival whose id
leads to a row under another id is taken for that row's item only if the other id is gone by now.
"""

from collections.abc import Iterable, Iterator

from shared.replica.port import FeedChange, FeedKind, ReplicaItem, item_key
from shared.sync.planning.item_changes import deletion
from shared.sync.planning.move_detector import MoveDetector
from shared.sync.planning.plan import FetchRequest, Plan
from shared.sync.planning.write import Write, WriteOrigin
from shared.sync.reading.item_fetcher import ItemFetcher


class KeySeparator:
    """Separates the arrivals of a plan from rows of other items."""

    def __init__(self, fetcher: ItemFetcher, moves: MoveDetector) -> None:
        self._fetcher = fetcher
        self._moves = moves

    def separate(self, plan: Plan) -> Iterator[Write]:
        """Yield the writes that set a row of another item apart. Its arrival is then new, and the plan knows the row.

        If a pass ends between two of them, the other item is missing until the next comparison of its folder.
        """
        doubtful = [request for request in plan.requests if _leads_to_another_id(request)]
        absent = self._absent(doubtful)
        for request in doubtful:
            known = request.known
            if known is not None and not {request.id, known.source_id} & absent:
                row = _newest(plan, known)
                apart = _set_apart(row, request.id)
                self._replace(plan, row, apart)
                yield from _writes(row, apart)

    def _absent(self, requests: Iterable[FetchRequest]) -> set[str]:
        """Return the ids, of the arrivals and of their rows, that are gone according to the source."""
        asked: set[str] = set()
        absent: set[str] = set()
        for request in requests:
            ids = {request.id, request.known.source_id} - asked if request.known else set()
            absent |= self._fetcher.gone(request.folder, sorted(ids)) if ids else set()
            asked |= ids
        return absent

    def _replace(self, plan: Plan, row: ReplicaItem, apart: ReplicaItem) -> None:
        """Let the plan know the row as it is set apart. To another arrival that leads to it, it is no longer known."""
        for request in plan.requests:
            if request.known is not None and request.known.key == row.key:
                request.known = apart if request.id == row.source_id else None
        for removed in plan.removed:
            if removed.item.key == row.key:
                removed.item = apart
        self._moves.replace_vanished(row.key, apart)


def _leads_to_another_id(request: FetchRequest) -> bool:
    known = request.known
    return known is not None and known.source_id != request.id and known.left_at is None


def _newest(plan: Plan, item: ReplicaItem) -> ReplicaItem:
    """Return the row as the plan's ready changes leave it."""
    ready = [each.change.item for each in plan.ready if each.change.item.key == item.key]
    return ready[-1] if ready else item


def _set_apart(row: ReplicaItem, arrival_id: str) -> ReplicaItem:
    """Return the row without the arrival's id: under the key of its own id, if its key is that of the arrival's."""
    digest = item_key(arrival_id)
    if row.key == digest:
        return row.with_changes(key=item_key(row.source_id), aliases=())
    return row.with_changes(aliases=tuple(alias for alias in row.aliases if alias != digest))


def _writes(row: ReplicaItem, apart: ReplicaItem) -> Iterator[Write]:
    if apart.key == row.key:
        yield Write(WriteOrigin.READY, FeedChange(FeedKind.RESTATE, apart), row.folder_id)
        return
    yield Write(WriteOrigin.READY, deletion(row), row.folder_id)
    yield Write(WriteOrigin.READY, FeedChange(FeedKind.CREATE, apart))
