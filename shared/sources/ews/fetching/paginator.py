"""Goes through a list by pages while others delete from it: what moves up behind our back is asked for again."""

from dataclasses import dataclass


@dataclass(slots=True)
class Paginator:
    """How far a list has been read; `offset` is where the next page begins."""

    offset: int = 0
    _read: int = 0
    """So many at its beginning have certainly been read, as the list is now."""
    _total: int = 0
    _overlap: int = 0
    """How much earlier than that the next page begins, since deletions seldom come alone."""

    def advance(self, count: int, total: int, following: int | None) -> bool:
        """Take note of a page: its length, the list's, and where the server says to go on. Whether there is a next.

        A server that does not advance has none.
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
