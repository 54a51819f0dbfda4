"""Remembers the groups for a minute, so that a pass rarely needs a request for the settings of its group."""

import threading
from collections.abc import Callable

from shared.errors import NotFound
from shared.mailboxes.groups.model import Group
from shared.mailboxes.groups.port import GroupStore

CACHED_SECONDS = 60.0
"""After this time at the latest every worker uses the changed settings of a group."""


class CachedGroups:
    """Reads all groups at once, at most once a minute. Safe to use from several threads. `monotonic` is in seconds."""

    def __init__(self, store: GroupStore, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._groups: dict[str, Group] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def get(self, name: str) -> Group:
        """Return one group. A name that is not known is looked up at once: the group may be new. Raises NotFound."""
        with self._lock:
            if self._is_old() or name not in self._groups:
                self._read()
            if name not in self._groups:
                raise NotFound("no such group")
            return self._groups[name]

    def _is_old(self) -> bool:
        return self._read_at is None or self._monotonic() - self._read_at >= CACHED_SECONDS

    def _read(self) -> None:
        self._groups = {group.name: group for group in self._store.all()}
        self._read_at = self._monotonic()
