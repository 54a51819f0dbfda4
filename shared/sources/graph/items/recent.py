"""Keeps items that are needed twice in a short time: as metadata from a page, then for their file."""

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
        """Keep what was read, and drop the oldest above the limit."""
        with self._lock:
            for identifier, member in members.items():
                self._kept.pop(identifier, None)
                self._kept[identifier] = member
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def take(self, identifier: str) -> Named | None:
        """Return and drop what is kept of an item."""
        with self._lock:
            return self._kept.pop(identifier, None)
