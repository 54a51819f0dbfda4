"""The dispatch: a timer tick becomes one message per shard, a shard's message one message per due mailbox."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from shared.errors import MailboxSyncError
from shared.mailboxes.model import Mailbox, has_replica, is_due, is_late
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.mailboxes.summary.counting import ShardCounter
from shared.mailboxes.summary.port import SummaryStore
from shared.scheduling.ordered_calls import call_in_order
from shared.scheduling.shard_metrics import ShardMetrics
from shared.scheduling.slots import in_turn, spread_offset

_log = logging.getLogger(__name__)

SECONDS_A_MAILBOX = 0.5
"""Seconds between the starts of one shard's mailboxes: sixteen shards start 32 per second."""

SWEEP_SECONDS_A_MAILBOX = 10.0
"""Seconds between the starts of sweeps, which cost more and have the whole night."""

SWEEP_HOURS = 8

PUNCTUAL = timedelta(minutes=1)
"""How late a tick may be and still count as the one of the schedule."""

DAY = timedelta(days=1)
SHORTEST_LIFE = timedelta(minutes=5)
"""How long a shard's message is kept at least, even if the interval is shorter."""

WIDEST = 0.8
"""The part of the interval over which starts may be spread, so that the last pass ends before the next tick."""

PUBLISHING_TIME = timedelta(minutes=2)
"""How long a dispatch publishes events that rows still hold. While webhooks or mail fail, each may take seconds."""

SENDERS = 2
"""How many of a shard's messages are sent at a time. A send mostly waits for Queue Storage, which takes 2,000 messages
per second in one queue: sixteen shards reach that if a send takes 16 ms. More senders would mostly be refused."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The result of one shard's dispatch: how many mailboxes were queued, how many active ones are late."""

    sent: int
    late: int


class Dispatch:
    """Queues the due mailboxes and, once a day, a sweep for every mailbox with a replica.

    As it reads every row of a shard, it also writes the shard's summary, from which pages and alerts take their counts.
    """

    def __init__(
        self,
        registry: MailboxRegistry,
        queue: SyncQueue,
        shards: int,
        interval: timedelta,
        clock: Callable[[], datetime],
        *,
        summaries: SummaryStore,
        next_tick: Callable[[datetime], datetime | None] = lambda _: None,
        senders: int = 1,
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._summaries = summaries
        self._shards = shards
        self._interval = interval
        self._clock = clock
        self._next_tick = next_tick
        self._senders = senders

    def tick(self, *, sweep: bool = False) -> int:
        """Send a message for every shard to be dispatched or swept; return the number of shards.

        A timer's tick is not repeated, so a shard whose message cannot be sent does not stop the others. A message that
        nobody consumes before the next tick is dropped, so that ticks do not accumulate. Raises the first error after
        all shards have been tried. Events that erased mailboxes left unpublished are published afterward.
        """
        now = self._clock()
        lifetime = DAY if sweep else max(self._interval, SHORTEST_LIFE)
        failed: list[MailboxSyncError] = []
        for shard in range(self._shards):
            try:
                self._queue.send_shard(shard, sweep=sweep, tick=now, seconds_to_live=int(lifetime.total_seconds()))
            except MailboxSyncError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        self._registry.publish_erasures()
        return self._shards

    def shard(self, shard: int, *, sweep: bool = False, tick: datetime | None = None) -> Dispatched:
        """Queue one shard's mailboxes, each in its turn (slots.py) within the interval, or within the night.

        `tick` is the time at which the timer fired. A mailbox's message is superseded by a pass that ends after the
        time it is scheduled for. A number from a former, larger number of shards sends nothing. Events that a row still
        holds are published afterward: its writer crashed, or the queue could not be reached.
        """
        if not 0 <= shard < self._shards:
            return Dispatched(0, 0)
        now = self._clock()
        due: list[tuple[str, str]] = []
        unpublished: list[Mailbox] = []
        late = 0
        counter, metrics = ShardCounter(now, self._interval), ShardMetrics(now, self._interval)
        for mailbox in self._registry.in_shard(shard):
            counter.count(mailbox)
            metrics.count(mailbox)
            late += is_late(mailbox, now, self._interval)
            if mailbox.outbox:
                unpublished.append(mailbox)
            if has_replica(mailbox) if sweep else is_due(mailbox, now):
                due.append((mailbox.tenant_id, mailbox.id))
        sent = self._send(due, tick or now, now, sweep=sweep)
        self._summarize(counter, shard, tick or now)
        if not sweep:
            metrics.record()
        self._publish(unpublished)
        return Dispatched(sent, late)

    def _publish(self, mailboxes: list[Mailbox]) -> None:
        """Publish what the rows of these mailboxes hold, for a limited time. Their order changes with each dispatch."""
        began = self._clock()
        for mailbox in sorted(mailboxes, key=lambda each: spread_offset(f"{began} {each.id}")):
            if self._clock() > began + PUBLISHING_TIME:
                _log.warning("events left to the next dispatch")
                return
            self._registry.publish_events(mailbox)

    def _send(self, due: list[tuple[str, str]], tick: datetime, began: datetime, *, sweep: bool) -> int:
        """Send a message for each mailbox, those that start first before the others; returns how many were sent."""
        window, ends = self._window(len(due), sweep), None if sweep else self._end_of_late(tick)
        turns = ((int(share * window), mailbox_id) for share, mailbox_id in in_turn(due))

        def is_ours(turn: tuple[int, str]) -> bool:
            return ends is None or tick + timedelta(seconds=turn[0]) < ends

        def send(turn: tuple[int, str]) -> None:
            delay, mailbox_id = turn
            # Sending many messages takes minutes, which their delay already includes.
            left = max(0, delay - int((self._clock() - began).total_seconds()))
            scheduled = tick + timedelta(seconds=delay)
            self._queue.send_mailbox(mailbox_id, delay_seconds=left, sweep=sweep, scheduled=scheduled)

        return call_in_order(send, takewhile(is_ours, turns), self._senders)

    def _end_of_late(self, tick: datetime) -> datetime | None:
        """When the next tick takes over from one that the host has caught up on late; None for a punctual one.

        The mailboxes that would start after that time are left to the next tick, so that never two ticks send at once.
        """
        following = self._next_tick(tick)
        return following if following is not None and following - tick < self._interval - PUNCTUAL else None

    def _summarize(self, counter: ShardCounter, shard: int, at: datetime) -> None:
        """Write the shard's summary. No fault of it makes the queue repeat the dispatch."""
        try:
            self._summaries.put(counter.summary(shard, at, self._summaries.get(shard)))
        except MailboxSyncError as error:
            _log.warning("summary not written", exc_info=error, extra={"shard": shard})

    def _window(self, mailboxes: int, sweep: bool) -> float:
        """The seconds over which starts are spread: what that many mailboxes need, limited to the available time."""
        if sweep:
            return min(mailboxes * SWEEP_SECONDS_A_MAILBOX, SWEEP_HOURS * 3600)
        return min(mailboxes * SECONDS_A_MAILBOX, self._interval.total_seconds() * WIDEST)
