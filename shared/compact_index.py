"""Numbers by id in little memory: hashes in sorted arrays, eight bytes per id and eight per number.

Two ids with the same hash are treated as one. The chance that a million ids contain such a pair is one in forty
million. Hashes differ between processes.
"""

from array import array
from bisect import bisect_left

SHARDS = 1024
"""With a million ids, an insertion moves some kilobytes."""


class CompactIndex:
    """Maps ids to `columns` numbers of 64 bits each. Without columns it is a set."""

    def __init__(self, columns: int = 0, shards: int = SHARDS) -> None:
        self._columns = range(columns + 1)
        self._number_of_shards = shards
        self._shards: dict[int, tuple[array[int], ...]] = {}
        """Created when they are first needed: most mailboxes have few ids."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, item_id: str) -> bool:
        return self.get(item_id) is not None

    def put(self, item_id: str, *numbers: int) -> bool:
        """Set an id's numbers, one per column, replacing earlier ones; return whether the id is new."""
        hashed = hash(item_id)
        shard = self._shard(hashed)
        position, found = _find(shard[0], hashed)
        if not found:
            shard[0].insert(position, hashed)
            self._count += 1
        for column, number in enumerate(numbers, start=1):
            if found:
                shard[column][position] = number
            else:
                shard[column].insert(position, number)
        return not found

    def get(self, item_id: str) -> tuple[int, ...] | None:
        """Return an id's numbers, or None if the id is not in the index."""
        hashed = hash(item_id)
        shard = self._shard(hashed)
        position, found = _find(shard[0], hashed)
        return tuple(column[position] for column in shard[1:]) if found else None

    def pop(self, item_id: str) -> tuple[int, ...] | None:
        """Remove an id and return its numbers, or None if it is not in the index."""
        hashed = hash(item_id)
        shard = self._shard(hashed)
        position, found = _find(shard[0], hashed)
        if not found:
            return None
        self._count -= 1
        _, *numbers = (column.pop(position) for column in shard)
        return tuple(numbers)

    def _shard(self, hashed: int) -> "tuple[array[int], ...]":
        """The sorted hashes of one shard, and a column for each of their numbers."""
        number = hashed % self._number_of_shards
        shard = self._shards.get(number)
        if shard is None:
            shard = self._shards[number] = tuple(array("q") for _ in self._columns)
        return shard


def _find(hashes: "array[int]", hashed: int) -> tuple[int, bool]:
    """The position of a hash in a sorted array, or where to insert it; and whether it is there."""
    position = bisect_left(hashes, hashed)
    return position, position < len(hashes) and hashes[position] == hashed
