"""Which ids have been seen, in nine bytes each, so that a first sync of any size takes the same memory."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

_SHARDS = 1024
"""Each a sorted array: with a million ids an insertion moves four kilobytes."""


class SeenIds:
    """A set of ids that keeps their hashes alone, 64 bits: two of one hash are taken for one, which costs a look-up."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._shards = [array("q") for _ in range(_SHARDS)]
        for item_id in ids:
            self.add(item_id)

    def add(self, item_id: str) -> bool:
        """See an id; gives whether it is the first time."""
        value = hash(item_id)
        shard = self._shards[value % _SHARDS]
        place = bisect_left(shard, value)
        if place < len(shard) and shard[place] == value:
            return False
        shard.insert(place, value)
        return True
