"""A limit on the sign-ins that all instances together may start, so that strangers cannot fill the table of flows.

During an attack it also blocks legitimate people. Letting those through takes a service in front of the app that knows
more about its callers: see docs/security.md.
"""

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.authorization.port import StartCounter

REPORTED_EVERY = 25
STARTS_TOGETHER, STARTS_WINDOW = 3000, timedelta(minutes=5)
"""The limit for all instances: ten starts a second, which the daily work can delete again in time."""


class StartLimit:
    """Allows about `most` starts in each `window` for all instances together.

    To keep counting cheap, an instance reports its starts only once every `REPORTED_EVERY` starts. So the limit can be
    exceeded by at most that many starts for each instance.
    """

    def __init__(
        self, counter: StartCounter, most: int, window: timedelta, clock: Callable[[], datetime], instance: str = ""
    ) -> None:
        self._counter = counter
        self._most = most
        self._window = window
        self._clock = clock
        self._instance = instance or secrets.token_hex(8)
        self._ends = datetime.min.replace(tzinfo=UTC)
        self._own = self._others = 0
        self._lock = threading.Lock()

    def wait(self) -> int:
        """Count a start; returns 0 if allowed, else the seconds until the next window. Raises storage's errors."""
        with self._lock:
            now = self._clock()
            if now >= self._ends:
                seconds = self._window.total_seconds()
                self._ends = datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, UTC)
                self._own = self._others = 0
            if self._own + self._others >= self._most:
                return int((self._ends - now).total_seconds()) + 1
            self._own += 1
            must_report = self._own % REPORTED_EVERY == 0
            ends, own = self._ends, self._own
        if must_report:
            total = self._counter.add(ends, self._instance, own)
            with self._lock:
                if ends == self._ends:
                    self._others = max(self._others, total - own)
        return 0
