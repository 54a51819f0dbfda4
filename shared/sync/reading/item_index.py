"""Compact indexes of item ids as hashes, so that even a large folder or first sync takes little memory."""

from collections.abc import Iterable

from shared.compact_index import CompactIndex


class SeenIds:
    """A set of ids, nine bytes each. An id reported as new is certainly new; collisions only affect seen ids."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids = CompactIndex()
        for item_id in ids:
            self.add(item_id)

    def add(self, item_id: str) -> bool:
        """Add an id; returns whether it was new."""
        return self._ids.put(item_id)


class ListedItems:
    """The ids and versions that a folder lists, eighteen bytes each, to be taken out one by one."""

    def __init__(self, expected: int = 0) -> None:
        self._versions = CompactIndex(columns=1, shards=max(1, min(expected, 1_000_000) // 500))

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._versions

    def put(self, item_id: str, version: str) -> None:
        """Add a listed item with its version; a later call replaces an earlier one."""
        self._versions.put(item_id, version_mark(version))

    def take(self, item_id: str) -> int | None:
        """Remove an item; returns the `version_mark` of its version, or None if the item is not in the index."""
        taken = self._versions.pop(item_id)
        return taken[0] if taken else None


def version_mark(version: str) -> int:
    """Return the hash that `ListedItems` stores for a version."""
    return hash(version)
