"""Limits on requests, per application and mailbox: four at a time, 10,000 in ten minutes.

Source: learn.microsoft.com/graph/throttling-limits, Outlook service limits. Requests that are refused count as well.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.graph.wire.errors import GraphError

type Bucket = tuple[str, str]
"""An application's id and a mailbox's address."""


@dataclass(slots=True)
class Limits:
    """What is allowed; the control port changes it. `latency_seconds`: how long every request takes at least."""

    concurrent: int = 4
    requests: int = 10_000
    window_seconds: int = 600
    retry_after_seconds: int = 5
    latency_seconds: float = 0.0


@dataclass(slots=True)
class _Use:
    running: int = 0
    times: deque[datetime] = field(default_factory=deque)


class Throttle:
    """Counts requests and refuses those beyond the limits."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.limits = Limits()
        self._clock = clock
        self._uses: dict[Bucket, _Use] = {}

    @contextmanager
    def running(self, bucket: Bucket) -> Iterator[None]:
        """A request is under way until the block ends. Raises GraphError where too many are."""
        use = self._uses.setdefault(bucket, _Use())
        if use.running >= self.limits.concurrent:
            self._note(use)
            raise self._refused("Application is over its MailboxConcurrency limit.", self.limits.retry_after_seconds)
        use.running += 1
        try:
            yield
        finally:
            use.running -= 1

    def count(self, bucket: Bucket) -> None:
        """Count one request. Raises GraphError where there were too many in the window."""
        use = self._uses.setdefault(bucket, _Use())
        self._note(use)
        if len(use.times) > self.limits.requests:
            free = use.times[-1 - self.limits.requests] + timedelta(seconds=self.limits.window_seconds)
            wait = max(1, round((free - self._clock()).total_seconds()))
            raise self._refused("Application is over its MailboxRequests limit.", wait)

    def _note(self, use: _Use) -> None:
        now = self._clock()
        use.times.append(now)
        oldest = now - timedelta(seconds=self.limits.window_seconds)
        while use.times and use.times[0] <= oldest:
            use.times.popleft()

    def _refused(self, message: str, seconds: int) -> GraphError:
        return GraphError(429, "ApplicationThrottled", message, {"Retry-After": str(seconds)})
