"""Ids that were met, as 64-bit hashes: a folder or a first sync of any size takes little memory.

Two ids of one hash are taken for one. Among a million ids there is such a pair once in forty million times.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

_SHARDS = 1024
"""Each a sorted array: with a million ids an insertion moves four kilobytes."""


class SeenIds:
    """A set of ids, nine bytes each; what it has not seen it certainly has not."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._shards = [array("q") for _ in range(_SHARDS)]
        for item_id in ids:
            self.add(item_id)

    def add(self, item_id: str) -> bool:
        """See an id; gives whether it is the first time."""
        value = hash(item_id)
        shard = self._shards[value % _SHARDS]
        place, found = _place(shard, value)
        if not found:
            shard.insert(place, value)
        return not found


class Listed:
    """What a folder lists: ids and their versions, eighteen bytes an item, to be taken out one by one."""

    def __init__(self, expected: int = 0) -> None:
        self._shards = [(array("q"), array("q")) for _ in range(max(1, min(expected, 1_000_000) // 500))]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, item_id: str, version: str) -> None:
        """An item is listed at this version; a later word replaces an earlier one."""
        value = hash(item_id)
        ids, versions = self._shards[value % len(self._shards)]
        place, found = _place(ids, value)
        if found:
            versions[place] = hash(version)
            return
        ids.insert(place, value)
        versions.insert(place, hash(version))
        self._count += 1

    def take(self, item_id: str) -> int | None:
        """Take an item out; gives the `version_mark` of its version, None if it is not (any more) in here."""
        value = hash(item_id)
        ids, versions = self._shards[value % len(self._shards)]
        place, found = _place(ids, value)
        if not found:
            return None
        del ids[place]
        self._count -= 1
        return versions.pop(place)


def version_mark(version: str) -> int:
    """What `Listed` keeps of a version."""
    return hash(version)


def _place(ids: "array[int]", value: int) -> tuple[int, bool]:
    """Where a hash is among sorted ones, or would be; and whether it is."""
    place = bisect_left(ids, value)
    return place, place < len(ids) and ids[place] == value
