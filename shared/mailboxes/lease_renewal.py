"""Renews leases beside the passes that hold them. Most passes end before a renewal is due and cost no thread.

One thread of the process waits for the leases that live longer; each of those is then renewed by a thread of its own,
so that a request that hangs delays no other renewal.
"""

import threading
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

type Wait = Callable[[threading.Event, float], bool]
"""Waits for an event for at most so many seconds, and says whether it has come."""


class Renewable(Protocol):
    """A held lease."""

    @property
    def seconds(self) -> int:
        """How long it lasts without renewal."""
        ...

    @property
    def released(self) -> threading.Event:
        """Set when it is given back."""
        ...

    def lost(self) -> bool:
        """Whether it can no longer be renewed."""
        ...

    def renew(self) -> None:
        """Renew it once. Never raises."""
        ...


class LeaseRenewal:
    """Renews every watched lease after each third of its duration, until it is released or lost."""

    def __init__(self, monotonic: Callable[[], float], wait: Wait) -> None:
        self._monotonic = monotonic
        self._wait = wait
        self._lock = threading.Condition()
        self._numbers = count()
        self._waiting: list[tuple[float, int, Renewable]] = []
        """A heap of the leases that have not been renewed yet, with the time at which each is due."""
        self._sooner = threading.Event()
        """Set when a lease is due before the one that the thread waits for."""
        self._thread: threading.Thread | None = None

    def watch(self, lease: Renewable) -> None:
        """Renew this lease as long as it is held."""
        entry = (self._monotonic() + lease.seconds / 3, next(self._numbers), lease)
        with self._lock:
            heappush(self._waiting, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
            if self._waiting[0] is entry:
                self._sooner.set()
                self._lock.notify()

    def _run(self) -> None:
        while True:
            self._wait(self._sooner, max(0.0, self._next_due() - self._monotonic()))
            for lease in self._take_due():
                # Not in this thread: a request that hangs would delay the renewal of the others.
                threading.Thread(target=self._renew, args=(lease,), name="lease", daemon=True).start()

    def _next_due(self) -> float:
        with self._lock:
            while not self._waiting:
                self._lock.wait()
            self._sooner.clear()
            return self._waiting[0][0]

    def _take_due(self) -> list[Renewable]:
        """Take out the leases that are due; those that were released meanwhile need nothing any more."""
        with self._lock:
            due: list[Renewable] = []
            while self._waiting and self._waiting[0][0] <= self._monotonic():
                due.append(heappop(self._waiting)[2])
            return [lease for lease in due if not lease.released.is_set()]

    def _renew(self, lease: Renewable) -> None:
        while not lease.released.is_set() and not lease.lost():
            lease.renew()
            self._wait(lease.released, lease.seconds / 3)
