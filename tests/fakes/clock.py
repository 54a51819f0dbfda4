"""A clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Call it for the time. `monotonic()` runs with it, and by `step` seconds with each reading."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC), step: float = 0.0) -> None:
        self.now = now
        self.step = step
        self._started = now
        self._read = 0

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        self._read += 1
        return (self.now - self._started).total_seconds() + self._read * self.step

    def apart(self, **difference: float) -> "SkewedClock":
        """Another machine's clock, ahead of this one by so much."""
        return SkewedClock(self, timedelta(**difference))


class SkewedClock:
    """A clock that goes with another, some time apart."""

    def __init__(self, clock: FakeClock, difference: timedelta) -> None:
        self._clock = clock
        self._difference = difference

    def __call__(self) -> datetime:
        return self._clock() + self._difference
