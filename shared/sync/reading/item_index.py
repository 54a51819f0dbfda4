"""Ids that a pass has met, as hashes: a folder or a first sync of any size takes little memory."""

from collections.abc import Iterable

from shared.compact_index import CompactIndex


class SeenIds:
    """A set of ids, nine bytes each; what it has not seen it certainly has not."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids = CompactIndex()
        for item_id in ids:
            self.add(item_id)

    def add(self, item_id: str) -> bool:
        """See an id; gives whether it is the first time."""
        return self._ids.put(item_id)


class ListedItems:
    """What a folder lists: ids and their versions, eighteen bytes an item, to be taken out one by one."""

    def __init__(self, expected: int = 0) -> None:
        self._versions = CompactIndex(columns=1, shards=max(1, min(expected, 1_000_000) // 500))

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._versions

    def put(self, item_id: str, version: str) -> None:
        """An item is listed at this version; a later word replaces an earlier one."""
        self._versions.put(item_id, version_mark(version))

    def take(self, item_id: str) -> int | None:
        """Take an item out; gives the `version_mark` of its version, None if it is not (any more) in here."""
        taken = self._versions.pop(item_id)
        return taken[0] if taken else None


def version_mark(version: str) -> int:
    """What `ListedItems` keeps of a version."""
    return hash(version)
