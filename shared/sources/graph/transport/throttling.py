"""Decides whether throttling concerns one mailbox or its whole tenant.

Graph throttles by mailbox, so one 429 says nothing about other mailboxes. If several mailboxes of a tenant are
throttled at the same time, the tenant is. The tenant is identified by the domain of the addresses.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

SEVERAL = 3
"""The number of throttled mailboxes that counts as the whole tenant."""

WITHIN = timedelta(minutes=1)
_MOST = 1_000


class ThrottleWatch:
    """The recent throttling that this process has seen. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._met: dict[str, OrderedDict[str, datetime]] = {}
        self._lock = threading.Lock()

    def is_tenant_wide(self, address: str) -> bool:
        """Record that a mailbox was throttled; returns whether several of its tenant were within a minute."""
        tenant, now = address.lower().rpartition("@")[2], self._clock()
        with self._lock:
            met = self._met.setdefault(tenant, OrderedDict())
            met[address.lower()] = now
            met.move_to_end(address.lower())
            while met and next(iter(met.values())) < now - WITHIN:
                met.popitem(last=False)
            while len(self._met) > _MOST:
                self._met.pop(next(iter(self._met)))
            return len(met) >= SEVERAL
