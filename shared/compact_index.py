"""Numbers by id, in little memory: hashes in sorted arrays, eight bytes an id and eight for each of its numbers.

Two ids of one hash are taken for one. Among a million ids there is such a pair once in forty million times. Hashes are
others in every process.
"""

from array import array
from bisect import bisect_left

SHARDS = 1024
"""With a million ids an insertion moves some kilobytes."""


class CompactIndex:
    """What is known of ids: `columns` numbers of 64 bits each. Without a column it is a set."""

    def __init__(self, columns: int = 0, shards: int = SHARDS) -> None:
        self._shards = [tuple(array("q") for _ in range(columns + 1)) for _ in range(shards)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, item_id: str) -> bool:
        return self.get(item_id) is not None

    def put(self, item_id: str, *numbers: int) -> bool:
        """Keep an id's numbers, one for each column, in place of those before; gives whether it is new."""
        hashed = hash(item_id)
        shard = self._shards[hashed % len(self._shards)]
        place, found = _place(shard[0], hashed)
        if not found:
            shard[0].insert(place, hashed)
            self._count += 1
        for column, number in enumerate(numbers, start=1):
            if found:
                shard[column][place] = number
            else:
                shard[column].insert(place, number)
        return not found

    def get(self, item_id: str) -> tuple[int, ...] | None:
        """An id's numbers; None for an id that is not here."""
        hashed = hash(item_id)
        shard = self._shards[hashed % len(self._shards)]
        place, found = _place(shard[0], hashed)
        return tuple(column[place] for column in shard[1:]) if found else None

    def pop(self, item_id: str) -> tuple[int, ...] | None:
        """Take an id out; gives its numbers, None if it is not (any more) here."""
        hashed = hash(item_id)
        shard = self._shards[hashed % len(self._shards)]
        place, found = _place(shard[0], hashed)
        if not found:
            return None
        self._count -= 1
        _, *numbers = (column.pop(place) for column in shard)
        return tuple(numbers)


def _place(hashes: "array[int]", hashed: int) -> tuple[int, bool]:
    """Where a hash is among sorted ones, or would be; and whether it is."""
    place = bisect_left(hashes, hashed)
    return place, place < len(hashes) and hashes[place] == hashed
