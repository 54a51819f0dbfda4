"""Pages through a list while others delete from it: entries that move to earlier pages are requested again."""

from dataclasses import dataclass


@dataclass(slots=True)
class Paginator:
    """The position in a list that is read in pages; `offset` is where the next page begins."""

    offset: int = 0
    _read: int = 0
    """The number of entries at the beginning of the current list that have certainly been read."""
    _total: int = 0
    _overlap: int = 0
    """How many entries earlier than `_read` the next page begins, since more deletions are likely."""

    def advance(self, count: int, total: int, following: int | None) -> bool:
        """Record a page and return whether there is a next one.

        `count` is the page's length, `total` the list's, and `following` the next offset that the server names (None at
        the end). An offset that does not advance ends the list.
        """
        deleted = max(0, self._total - total) if total else 0
        self._total = total
        self._read = max(0, self._read - deleted)
        self._overlap = min(max(self._overlap, 2 * deleted), count // 2)
        if self.offset <= self._read:
            if following is None or following <= self.offset:
                return False
            self._read = max(self._read, following)
        self.offset = max(0, self._read - self._overlap)
        return True
