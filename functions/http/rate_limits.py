"""Limits how often one client address may call an anonymous route.

A token bucket for each caller and one for all of them, in this instance's memory: one client cannot keep an instance
busy. What all instances together begin is counted apart (shared/authorization/onboarding/start_limit.py).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network

MAX_CALLERS = 10_000
_ALL_CALLERS = "*"


class RateLimit:
    """`burst` requests at once, then `per_minute`; all callers together `together` times as many.

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
        """Count a request: 0 when it may pass, else the seconds to wait. A caller without a name counts among all."""
        with self._lock:
            alone = self._take(caller, 1) if caller else 0
            return alone or self._take(_ALL_CALLERS, self._together)

    def blocked(self, caller: str) -> int:
        """The seconds that this caller has to wait, without counting; 0 when the next knock may pass."""
        with self._lock:
            alone = self._short(caller, 1)[1] if caller else 0
            return alone or self._short(_ALL_CALLERS, self._together)[1]

    def _short(self, name: str, times: int) -> tuple[float, int]:
        """What is left in a bucket, and the seconds until there is enough in it."""
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
    """The address that the platform saw: the last one, for all before it the caller may have written. No port.

    Of an IPv6 address the network: one customer has 2^64 addresses in it, and could be a new caller with each request.
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
