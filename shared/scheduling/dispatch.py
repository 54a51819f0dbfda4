"""Who is due: the timer's tick becomes shard messages, a shard's message becomes one message for each due mailbox."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import MailboxSyncError
from shared.mailboxes.model import has_replica, is_due, is_late
from shared.mailboxes.port import MailboxRegistry, SyncQueue

SECONDS_A_MAILBOX = 0.5
"""How far apart one shard's mailboxes are started: sixteen shards start 32 a second."""

SWEEP_SECONDS_A_MAILBOX = 10.0
"""The same for sweeps, which cost more and have the night."""

SWEEP_HOURS = 8

DAY = timedelta(days=1)
SHORTEST_LIFE = timedelta(minutes=5)
"""How long a shard's message is kept at least, however short the interval."""

WIDEST = 0.8
"""The part of the interval that starts may be spread over, so that the last is done before the next tick."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one shard's dispatch did: how many mailboxes were sent, how many active ones are late."""

    sent: int
    late: int


class Dispatch:
    """Sends what is due, and once a day whatever has a copy to be kept in order; decides nothing else."""

    def __init__(
        self,
        registry: MailboxRegistry,
        queue: SyncQueue,
        shards: int,
        interval: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._shards = shards
        self._interval = interval
        self._clock = clock

    def tick(self, *, sweep: bool = False) -> int:
        """Ask for every shard to be sent, or swept; gives how many shards.

        A timer's tick is not repeated: a shard that cannot be asked for keeps none of the others waiting for the next.
        A message that nobody consumes before the next tick's is dropped, so that ticks do not pile up.
        Raises the first error when every shard has been tried.
        """
        now = self._clock()
        lives = DAY if sweep else max(self._interval, SHORTEST_LIFE)
        failed: list[MailboxSyncError] = []
        for shard in range(self._shards):
            try:
                self._queue.send_shard(shard, sweep=sweep, tick=now, seconds_to_live=int(lives.total_seconds()))
            except MailboxSyncError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return self._shards

    def shard(self, shard: int, *, sweep: bool = False, tick: datetime | None = None) -> Dispatched:
        """Send one shard's mailboxes, each at its own place in the interval, or in the night.

        `tick`: when the timer asked for it; a mailbox's message is superseded by a pass that ends after its place in
        that interval. A shard number of a former, larger number of shards sends nothing.
        """
        if not 0 <= shard < self._shards:
            return Dispatched(0, 0)
        now = self._clock()
        due, late = [], 0
        for mailbox in self._registry.in_shard(shard):
            late += is_late(mailbox, now, self._interval)
            if has_replica(mailbox) if sweep else is_due(mailbox, now):
                due.append(mailbox.id)
        window = self._window(len(due), sweep)
        for mailbox_id in due:
            delay = int(spread_offset(mailbox_id) * window)
            scheduled = (tick or now) + timedelta(seconds=delay)
            self._queue.send_mailbox(mailbox_id, delay_seconds=delay, sweep=sweep, scheduled=scheduled)
        return Dispatched(len(due), late)

    def _window(self, mailboxes: int, sweep: bool) -> float:
        """Over how many seconds starts are spread: as long as so many need, within the time there is."""
        if sweep:
            return min(mailboxes * SWEEP_SECONDS_A_MAILBOX, SWEEP_HOURS * 3600)
        return min(mailboxes * SECONDS_A_MAILBOX, self._interval.total_seconds() * WIDEST)


def spread_offset(mailbox_id: str) -> float:
    """A mailbox's own, unchanging place in any window, 0 to 1: neither Key Vault nor Exchange sees a burst."""
    return int.from_bytes(hashlib.blake2s(mailbox_id.encode(), digest_size=4).digest()) / 2**32
