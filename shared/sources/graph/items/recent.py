"""Items that are needed twice in a short time: what a page carried, between its metadata and the file written of it."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from shared.sources.graph.transport.answers import Named

_MOST = 1_024


class RecentMembers:
    """What was lately read of items, by id, the oldest forgotten first. Used from several threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Named] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, members: Mapping[str, Named]) -> None:
        """Keep what was read, and let go of the oldest where that is too much."""
        with self._lock:
            for identifier, member in members.items():
                self._kept.pop(identifier, None)
                self._kept[identifier] = member
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def take(self, identifier: str) -> Named | None:
        """What is kept of an item, once."""
        with self._lock:
            return self._kept.pop(identifier, None)
