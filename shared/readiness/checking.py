"""Asks every dependency at once, within a bounded time, and keeps the answer for some seconds.

The answer is kept and each dependency is asked once at a time, so that however often somebody asks, the dependencies
are not loaded. A dependency that does not answer occupies one thread until its client gives up.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from shared.errors import ActionNeeded, Reason

SECONDS_TO_ANSWER = 5.0
SECONDS_KEPT = 15.0
LONGEST_AGE = 900.0
"""Seconds that a message may wait beyond its time before the queue counts as late; as the alert `queue-age`."""

OK = "ok"
LATE = "late"
_log = logging.getLogger(__name__)

type Probe = Callable[[], float | None]
"""Asks one dependency. It returns nothing, or the age in seconds of what waits there; it raises what is wrong."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """What one dependency answered: `ok`, `late`, or the reason of the error; and the age of what waits there."""

    name: str
    status: str
    milliseconds: int
    age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answers of all dependencies."""

    checked_at: datetime
    dependencies: tuple[Dependency, ...]

    @property
    def is_ready(self) -> bool:
        """Whether every dependency is in order."""
        return all(one.status == OK for one in self.dependencies)


class ReadinessCheck:
    """Checks the dependencies. Safe to use from several threads. `monotonic` is a clock in seconds."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        *,
        seconds_to_answer: float = SECONDS_TO_ANSWER,
    ) -> None:
        self._probes = probes
        self._clock = clock
        self._monotonic = monotonic
        self._seconds = seconds_to_answer
        self._threads = ThreadPoolExecutor(max_workers=len(probes), thread_name_prefix="readiness")
        self._running: dict[str, Future[Dependency]] = {}
        self._last: tuple[float, Readiness] | None = None
        self._lock = threading.Lock()

    def check(self) -> Readiness:
        """Return the answers of the last 15 seconds, or ask anew. Takes about five seconds at most; never raises."""
        with self._lock:
            if self._last is None or self._monotonic() - self._last[0] > SECONDS_KEPT:
                answers = Readiness(self._clock(), self._ask())
                self._last = (self._monotonic(), answers)
            return self._last[1]

    def _ask(self) -> tuple[Dependency, ...]:
        """Ask all at once; one that still has not answered the last time is not asked again."""
        for name in self._probes:
            if name not in self._running:
                self._running[name] = self._threads.submit(self._probe, name)
        wait(self._running.values(), self._seconds)
        return tuple(self._answer(name) for name in self._probes)

    def _answer(self, name: str) -> Dependency:
        if not self._running[name].done():
            return Dependency(name, Reason.TIMED_OUT.value, round(self._seconds * 1000))
        return self._running.pop(name).result()

    def _probe(self, name: str) -> Dependency:
        """Ask one dependency and take the time."""
        began, age = self._monotonic(), None
        try:
            age = self._probes[name]()
            status = LATE if age is not None and age > LONGEST_AGE else OK
        except Exception as error:
            _log.warning("dependency not ready", exc_info=error, extra={"dependency": name})
            status = (error.reason if isinstance(error, ActionNeeded) else Reason.INTERNAL).value
        milliseconds = round((self._monotonic() - began) * 1000)
        return Dependency(name, status, milliseconds, None if age is None else round(age))
