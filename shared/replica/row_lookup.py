"""Finding rows by their keys: a few by point reads, many by a scan where that is cheaper."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.replica.storage_port import Row, Rows

PARALLEL_READS = 8
"""Point reads at once."""
SCAN_FROM_KEYS = 100
"""From so many keys on, a look at the first rows of a scan (the cost of fifteen point reads) may pay."""
ROWS_PER_READ = 20
"""A scan is worth it up to so many rows a key: a point read costs the processor what fifty scanned rows do, but several
are under way at once while a scan's answers come one after the other."""

_ANSWER = 1_000
"""Rows in one answer of a scan."""
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
"""What keys are made of, in the order in which the table sorts them."""


class RowLookup:
    """Reads rows of the table by key."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._readers = ThreadPoolExecutor(PARALLEL_READS, thread_name_prefix="replica")

    def close(self) -> None:
        """End the threads that read."""
        self._readers.shutdown()

    def by_key(self, mailbox_id: str, keys: Sequence[str]) -> list[Row | None]:
        """The rows under these keys in turn, None where there is none."""
        found = self._scanned(mailbox_id, keys) if len(keys) >= SCAN_FROM_KEYS else {}
        left = [key for key in keys if key not in found]
        found |= dict(zip(left, self._read(mailbox_id, left), strict=True))
        return [found[key] for key in keys]

    def _read(self, mailbox_id: str, keys: Sequence[str]) -> Iterator[Row | None]:
        def read(key: str) -> Row | None:
            found = self._rows.get(mailbox_id, key)
            return found[0] if found else None

        return map(read, keys) if len(keys) < 3 else self._readers.map(read, keys)

    def _scanned(self, mailbox_id: str, keys: Sequence[str]) -> dict[str, Row | None]:
        """What a scan says of the keys; of none beyond the first answer when there are too many rows to go on."""
        found: dict[str, Row | None] = {}
        wanted = frozenset(keys)
        for number, row in enumerate(self._rows.query(mailbox_id), 1):
            key = str(row["RowKey"])
            if key in wanted:
                found[key] = row
            if number == _ANSWER and estimate_rows(number, key) > ROWS_PER_READ * len(keys):
                return found | {unseen: None for unseen in wanted if unseen < key and unseen not in found}
        return found | {unseen: None for unseen in wanted if unseen not in found}


def estimate_rows(seen: int, last: str) -> float:
    """How many rows a partition has, judging by the key of the last one seen: keys are digests, evenly spread."""
    share = sum(_DIGITS.find(digit) * 32.0**-place for place, digit in enumerate(last[:6], 1))
    return seen / max(share, 1e-6)
