"""A day of a deployment, second by second: ticks, the queue, instances, passes, sweeps, and what they ask of Azure.

Processor times are those of `make bench-system`; times on the network, the share of passes that find something new, and
how fast the host adds instances are assumptions, which docs/scale.md names. Mailboxes that start in the same second are
handled together, so that a million of them cost no more to simulate than a thousand.
"""

import math
from collections import deque
from dataclasses import dataclass, field

DAY = 86_400
TICK = 1_800
SHARDS = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What one message costs: seconds on the clock and of a processor, requests of each service."""

    seconds: float
    processor: float
    blob_writes: float
    blob_reads: float
    """Reads and leases: Storage charges a lease as an `other` operation, which costs as much as a read.
    https://learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories"""
    tables: float
    queues: float = 3
    """Send, receive, delete."""

    @property
    def storage(self) -> float:
        """All Storage requests."""
        return self.blob_writes + self.blob_reads + self.tables + self.queues


HOST_SECONDS = 0.005
"""Processor seconds of the Functions host for each message: an assumption."""

QUIET = Work(0.35, 0.006 + HOST_SECONDS, blob_writes=0, blob_reads=3, tables=2)
"""Lease acquired and released, cursor read, row read and written."""
NEW = Work(1.5, 0.045 + HOST_SECONDS, blob_writes=3, blob_reads=3, tables=8)
"""Also pack, feed page, and cursor written; the proof, fence, rows, and run, and lookups."""
SWEEP = Work(8.0, 0.9 + HOST_SECONDS, blob_writes=1, blob_reads=4, tables=16)
"""A mailbox of 10,000 unchanged items in thirty folders."""
OVERTAKEN = Work(0.05, 0.002 + HOST_SECONDS, blob_writes=0, blob_reads=2, tables=1)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The numbers that an operator chooses, and what the host does with them."""

    mailboxes: int
    instances: int = 40
    """MAXIMUM_INSTANCES."""
    at_once: int = 12
    """Messages that an instance has under way: batchSize and newBatchThreshold in host.json."""
    busy_share: float = 0.7
    """The share of its one processor that an instance can use for passes."""
    grows_by: int = 4
    """Instances that the host adds, at most, in each half minute."""
    tokens_last: float = 75 * 60
    """Seconds that an access token is valid; each instance caches its own."""
    delegated: bool = True
    """Whether mailboxes are read with their persons' refresh tokens, which lie in Key Vault."""
    outage: tuple[int, int] = (0, 0)
    """Seconds of the day between which nothing is handled."""
    length: int = DAY
    """How many seconds of the day are simulated."""

    @property
    def window(self) -> float:
        """The seconds after a tick over which mailboxes start (dispatch.py)."""
        return max(1.0, min(self.mailboxes / SHARDS * 0.5, TICK * 0.8))

    @property
    def sweep_window(self) -> float:
        """The seconds of the night over which sweeps start."""
        return max(1.0, min(self.mailboxes / SHARDS * 10, 8 * 3600))


@dataclass(slots=True)
class Day:
    """What a day was like. Ages and times are in seconds, peaks are per second."""

    ages: list[int]
    """How many mailbox seconds a copy was so many seconds old: by age."""
    deepest: float = 0.0
    peak: dict[str, float] = field(default_factory=dict)
    total: dict[str, float] = field(default_factory=dict)
    most_instances: int = 0
    instance_seconds: float = 0.0
    """Seconds in which an instance had at least one message under way: what is billed."""

    def age(self, share: float) -> int:
        """The age that so large a share of mailboxes and moments stays below."""
        left = share * sum(self.ages)
        for age, seconds in enumerate(self.ages):
            left -= seconds
            if left <= 0:
                return age
        return len(self.ages) - 1


def new_share(second: int) -> float:
    """The share of passes that find something new: 40 % in working hours, else 5 %."""
    return 0.4 if 8 * 3600 <= second % DAY < 18 * 3600 else 0.05


@dataclass(slots=True)
class _Batch:
    """Mailboxes that start in the same second of a tick, or sweeps."""

    slot: int
    scheduled: int
    count: float
    is_sweep: bool = False


class Simulation:
    """Runs one day, after a warm-up of two ticks."""

    def __init__(self, deployment: Deployment) -> None:
        self._at = deployment
        self._queue: deque[_Batch] = deque()
        self._slots = math.ceil(deployment.window)
        self._as_of: dict[int, tuple[float, float]] = {}
        """For each slot: as of when its mailboxes' copies are complete, and when that pass ended."""
        self._instances = 1
        self._changes = [0.0] * (4 * 3600 + 2)
        self._day = Day(ages=[])
        self._waiting = 0.0
        self._second: dict[str, float] = {}
        """The requests of the present second."""

    def run(self) -> Day:
        """Simulate the day."""
        for second in range(-2 * TICK, self._at.length):
            self._second.clear()
            self._arrive(second)
            self._scale(second)
            self._handle(second)
        level = 0.0
        for change in self._changes[:-1]:
            level += change
            self._day.ages.append(max(0, round(level)))
        return self._day

    def _arrive(self, second: int) -> None:
        """Messages that become visible in this second."""
        slot, at = second % TICK, self._at
        if slot < self._slots:
            share = min(1.0, at.window - slot) / at.window
            self._put(_Batch(slot, second, at.mailboxes * share))
        night = second - (2 * 3600 + 15 * 60)
        if 0 <= night < at.sweep_window:
            self._put(_Batch(-1, second, at.mailboxes / at.sweep_window, is_sweep=True))

    def _put(self, batch: _Batch) -> None:
        self._queue.append(batch)
        self._waiting += batch.count

    def _scale(self, second: int) -> None:
        """The host counts messages that are not visible yet as waiting, so it grows at every tick."""
        if second % 30:
            return
        left = max(0.0, 1 - (second % TICK) / self._at.window) * self._at.mailboxes
        waiting = left + self._waiting
        wanted = min(self._at.instances, max(1, math.ceil(waiting / self._at.at_once)))
        step = self._at.grows_by
        self._instances += max(-step, min(step, wanted - self._instances))
        self._day.most_instances = max(self._day.most_instances, self._instances)

    def _handle(self, second: int) -> None:
        """Take messages while there are places and processor time left in this second."""
        at, began, ended = self._at, *self._at.outage
        places = 0.0 if began <= second < ended else float(self._instances * at.at_once)
        processor = self._instances * at.busy_share
        under_way = 0.0
        while self._queue and places > 1e-9 and processor > 1e-9:
            batch = self._queue[0]
            work = self._work(batch)
            count = min(batch.count, places / work.seconds, processor / work.processor)
            places -= count * work.seconds
            processor -= count * work.processor
            under_way += count * work.seconds
            self._count(second, work, count, is_read=work is not OVERTAKEN)
            batch.count -= count
            self._waiting -= count
            if batch.count <= 1e-9:
                self._queue.popleft()
                self._finish(batch, work, second)
        if second >= 0:
            self._day.deepest = max(self._day.deepest, self._waiting)
            self._day.instance_seconds += self._instances * (1 - math.exp(-under_way / self._instances))

    def _work(self, batch: _Batch) -> Work:
        if batch.is_sweep:
            return SWEEP
        if self._as_of.get(batch.slot, (0.0, -math.inf))[1] >= batch.scheduled:
            return OVERTAKEN
        share = new_share(batch.scheduled)
        return Work(
            *(
                (1 - share) * getattr(QUIET, name) + share * getattr(NEW, name)
                for name in ("seconds", "processor", "blob_writes", "blob_reads", "tables")
            )
        )

    def _finish(self, batch: _Batch, work: Work, second: int) -> None:
        """Between two passes a copy grows older; each second of it is counted for the slot's mailboxes."""
        if batch.is_sweep or work is OVERTAKEN:
            return
        ended = second + work.seconds
        before = self._as_of.get(batch.slot)
        self._as_of[batch.slot] = (float(second), ended)
        if before is None or second < 0:
            return
        share = min(1.0, self._at.window - batch.slot) / self._at.window * self._at.mailboxes
        last = len(self._changes) - 2
        self._changes[min(last, int(before[1] - before[0]))] += share
        self._changes[min(last, int(ended - before[0])) + 1] -= share

    def _count(self, second: int, work: Work, count: float, *, is_read: bool) -> None:
        """Requests of each kind; an instance asks Key Vault when it has no access token of the mailbox."""
        if second < 0:
            return
        cached = min(1.0, self._at.tokens_last / TICK / self._instances) if self._at.delegated else 1.0
        asked = {
            "passes": count,
            "vault": count * (1 - cached) if is_read else 0.0,
            "blob writes": count * work.blob_writes,
            "blob reads": count * work.blob_reads,
            "tables": count * work.tables,
            "queues": count * work.queues,
            "storage": count * work.storage,
        }
        day = self._day
        for name, number in asked.items():
            day.total[name] = day.total.get(name, 0.0) + number
            self._second[name] = self._second.get(name, 0.0) + number
            day.peak[name] = max(day.peak.get(name, 0.0), self._second[name])
