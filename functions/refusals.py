"""Logs the requests that were refused for security reasons: which kind, and how many.

The lines contain nothing secret or personal, only the kind of refusal and a constant detail. Anybody can cause
refusals, so the rate of lines is limited; `refusals` in a line is the number of refusals that it stands for, including
its own.
"""

import logging
import threading
import time
from collections.abc import Callable

from functions.http.rate_limits import RateLimit

_log = logging.getLogger(__name__)


class Refusals:
    """Writes the log lines: at most 30 at once, then one every two seconds. `monotonic` is a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._limit = RateLimit(burst=30, per_minute=30, together=1, monotonic=monotonic)
        self._not_logged = 0
        self._lock = threading.Lock()

    def note(self, kind: str, detail: str = "") -> None:
        """Log one refusal, or count it for the next line."""
        with self._lock:
            self._not_logged += 1
            if self._limit.wait(""):
                return
            refusals, self._not_logged = self._not_logged, 0
        _log.warning("request refused", extra={"refusal": kind, "detail": detail, "refusals": refusals})


note = Refusals(time.monotonic).note
"""Log a refusal, within this instance's limit."""
