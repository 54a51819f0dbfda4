"""Limits how often one client address may call an anonymous route.

There is one token bucket per caller and one for all callers, in this instance's memory, so that one client cannot keep
an instance busy. The limit for all instances together is in shared/authorization/onboarding/start_limit.py.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network

MAX_CALLERS = 10_000
_ALL_CALLERS = "*"


class RateLimit:
    """Allows each caller `burst` requests at once, then `per_minute`; all callers together `together` times as many.

    `monotonic` is a clock in seconds.
    """

    def __init__(self, burst: int, per_minute: float, together: int, monotonic: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = per_minute / 60
        self._together = together
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, caller: str) -> int:
        """Count a request; returns 0 if it may pass, else the seconds to wait.

        A request without a caller's name only counts in the bucket of all callers.
        """
        with self._lock:
            seconds = self._take(caller, 1) if caller else 0
            return seconds or self._take(_ALL_CALLERS, self._together)

    def blocked(self, caller: str) -> int:
        """Return the seconds that this caller has to wait, 0 if none, without counting a request."""
        with self._lock:
            seconds = self._short(caller, 1)[1] if caller else 0
            return seconds or self._short(_ALL_CALLERS, self._together)[1]

    def left(self, caller: str) -> tuple[int, int]:
        """Return how many requests this caller may make at once, and the seconds until the bucket is full again."""
        with self._lock:
            left = self._short(caller, 1)[0]
        return int(left), int((self._burst - left) / self._rate) + 1 if left < self._burst else 0

    def _short(self, name: str, times: int) -> tuple[float, int]:
        """Return the tokens left in a bucket, and the seconds until it holds a whole one."""
        now = self._monotonic()
        left, at = self._buckets.get(name, (self._burst * times, now))
        left = min(self._burst * times, left + (now - at) * self._rate * times)
        short = max(0.0, 1 - left)
        return left, int(short / (self._rate * times)) + 1 if short else 0

    def _take(self, name: str, times: int) -> int:
        left, seconds = self._short(name, times)
        self._buckets[name] = (left if seconds else left - 1, self._monotonic())
        self._buckets.move_to_end(name)
        while len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return seconds


def client_address(forwarded_for: str) -> str:
    """Return the client address that the platform saw, without the port.

    It is the last one in X-Forwarded-For, because the caller may have written the ones before. An IPv6 address becomes
    its /64 network: one customer has 2^64 addresses in it, and could look like a new caller with each request.
    """
    last = forwarded_for.rpartition(",")[2].strip()
    if last.startswith("["):
        last = last[1:].partition("]")[0]
    elif last.count(":") == 1:
        last = last.partition(":")[0]
    try:
        address = ip_address(last)
    except ValueError:
        return last
    if isinstance(address, IPv4Address):
        return last
    return str(address.ipv4_mapped or ip_network((address.packed, 64), strict=False))
