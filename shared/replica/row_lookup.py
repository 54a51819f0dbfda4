"""Finds rows by key: a few by point reads, many by a scan where that is cheaper."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.replica.storage_port import Row, Rows

PARALLEL_READS = 8
"""Number of point reads at once."""
SEVERAL = 3
"""From this number of keys on, the point reads run at once."""
SCAN_FROM_KEYS = 100
"""From this number of keys on, reading the first rows of a scan (which costs fifteen point reads) may pay off."""
ROWS_PER_READ = 20
"""A scan pays off up to this many rows per key. A point read costs as much processor time as fifty scanned rows, but
several point reads run at once, while the responses of a scan arrive one after another."""

_RESPONSE_ROWS = 1_000
"""Rows in one response of a scan."""
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
"""The characters of keys, in the order in which the table sorts them."""


class RowLookup:
    """Reads rows of the table by key."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._readers = ThreadPoolExecutor(PARALLEL_READS, thread_name_prefix="replica")

    def close(self) -> None:
        """Stop the reader threads."""
        self._readers.shutdown()

    def by_key(self, mailbox_id: str, keys: Sequence[str]) -> list[Row | None]:
        """Return the rows with these keys in the given order, None where a row does not exist."""
        found = self._scanned(mailbox_id, keys) if len(keys) >= SCAN_FROM_KEYS else {}
        left = [key for key in keys if key not in found]
        get = partial(self._rows.get, mailbox_id)
        answers = map(get, left) if len(left) < SEVERAL else self._readers.map(get, left)
        found |= {key: answer and answer[0] for key, answer in zip(left, answers, strict=True)}
        return [found[key] for key in keys]

    def _scanned(self, mailbox_id: str, keys: Sequence[str]) -> dict[str, Row | None]:
        """Return what a scan finds for the keys.

        If the partition has too many rows, the scan stops after its first response; later keys are not in the result.
        """
        found: dict[str, Row | None] = {}
        wanted = frozenset(keys)
        for number, row in enumerate(self._rows.query(mailbox_id), 1):
            key = str(row["RowKey"])
            if key in wanted:
                found[key] = row
            if number == _RESPONSE_ROWS and estimate_rows(number, key) > ROWS_PER_READ * len(keys):
                return found | {unseen: None for unseen in wanted if unseen < key and unseen not in found}
        return found | {unseen: None for unseen in wanted if unseen not in found}


def estimate_rows(seen: int, last: str) -> float:
    """Estimate a partition's number of rows from the last key seen: keys are digests, which are evenly distributed."""
    share = sum(_DIGITS.find(digit) * 32.0**-place for place, digit in enumerate(last[:6], 1))
    return seen / max(share, 1e-6)
