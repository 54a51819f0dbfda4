"""Counts a shard's mailboxes for the metrics, while the dispatch reads them."""

from collections import Counter
from datetime import datetime, timedelta

from shared.mailboxes.model import SYNCED, Mailbox, is_late
from shared.mailboxes.summary.counting import FRESH_MARGIN
from shared.metrics.instruments import FRESHNESS, MAILBOXES, SYNCED_MAILBOXES


class ShardMetrics:
    """Counts mailboxes one by one; `record` records the counts, once the shard is dispatched."""

    def __init__(self, now: datetime, interval: timedelta) -> None:
        self._now = now
        self._interval = interval
        self._statuses = Counter[str]()
        self._freshness = Counter[str]()
        self._ages: list[tuple[float, str]] = []

    def count(self, mailbox: Mailbox) -> None:
        """Add one mailbox."""
        self._statuses[mailbox.status.value] += 1
        if mailbox.status not in SYNCED:
            return
        age = self._now - mailbox.complete_as_of if mailbox.complete_as_of else None
        if age is not None:
            self._ages.append((age.total_seconds(), mailbox.source.value))
        is_fresh = age is not None and age <= self._interval + FRESH_MARGIN
        late = is_late(mailbox, self._now, self._interval)
        self._freshness["late" if late else "fresh" if is_fresh else "stale"] += 1

    def record(self) -> None:
        """Record what was counted."""
        for status, mailboxes in self._statuses.items():
            MAILBOXES.add(mailboxes, status=status)
        for freshness, mailboxes in self._freshness.items():
            SYNCED_MAILBOXES.add(mailboxes, freshness=freshness)
        for seconds, source in self._ages:
            FRESHNESS.record(seconds, source=source)
