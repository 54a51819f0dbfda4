"""Keeps decoded items for a short time: the page gives their metadata, and the fetch writes their files."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from shared.sources.graph.transport.answers import Named

_MOST = 1_024


class RecentMembers:
    """Recently read items by id; the oldest are dropped first. Safe to use from several threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Named] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, members: Mapping[str, Named]) -> None:
        """Keep these items, and drop the oldest ones above the limit."""
        with self._lock:
            for identifier, member in members.items():
                self._kept.pop(identifier, None)
                self._kept[identifier] = member
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def take(self, identifier: str) -> Named | None:
        """Return an item and drop it; None if it is not kept."""
        with self._lock:
            return self._kept.pop(identifier, None)
