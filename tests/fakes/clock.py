"""A clock that advances only when a test says so."""

import threading
from datetime import UTC, datetime, timedelta
from typing import cast

LOOK_AGAIN_SECONDS = 0.01
"""How soon a waiting thread notices an event that nobody tells it of."""

PATIENCE_SECONDS = 60
"""How long the other thread may take to come to its next wait."""


class FakeClock:
    """Call it for the time. `monotonic()` advances with it, and by `step` seconds with each reading."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC), step: float = 0.0) -> None:
        self.now = now
        self.step = step
        self._started = now
        self._read = 0

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Advance the clock."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)

    def monotonic(self) -> float:
        """Seconds since the clock was created."""
        self._read += 1
        return (self.now - self._started).total_seconds() + self._read * self.step

    def apart(self, **difference: float) -> "SkewedClock":
        """The clock of another machine, ahead of this one by the given time."""
        return SkewedClock(self, timedelta(**difference))


class SteppedClock:
    """A clock for a thread that waits in between, which is let do its work at each of the times it waits for."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waits_until: float | None = None
        self._moved = threading.Condition()

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event until so much time has passed here; fulfills what BlobLeases waits with."""
        with self._moved:
            self._waits_until = self._seconds + seconds
            self._moved.notify_all()
            while self._seconds < self._waits_until and not event.is_set():
                self._moved.wait(LOOK_AGAIN_SECONDS)
            self._waits_until = None
            return event.is_set()

    def pass_by(self, seconds: float) -> None:
        """Let time pass, and wherever the other thread waits for a moment of it, let it get on to its next wait."""
        end = self._seconds + seconds
        with self._moved:
            while self._seconds < end:
                assert self._moved.wait_for(self._is_waited_for, PATIENCE_SECONDS)
                self._seconds = min(end, cast(float, self._waits_until))
                self._moved.notify_all()

    def _is_waited_for(self) -> bool:
        return self._waits_until is not None and self._waits_until > self._seconds


class SkewedClock:
    """A clock with a constant difference from another one."""

    def __init__(self, clock: FakeClock, difference: timedelta) -> None:
        self._clock = clock
        self._difference = difference

    def __call__(self) -> datetime:
        return self._clock() + self._difference
