"""Records in the audit trail who reads contents: once an hour for each caller and mailbox.

A record for each request would cost as much as the request and bury the other actions.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.mailboxes.port import MailboxRegistry

INTERVAL = timedelta(hours=1)
MAX_REMEMBERED = 10_000
ACT = "read_content"


class ContentAudit:
    """Call it with a mailbox id and the caller's object id. Safe to use from several threads."""

    def __init__(self, registry: MailboxRegistry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock
        self._recorded: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, mailbox_id: str, caller: str) -> None:
        """Record the reading before it happens, unless this instance did so within the last hour."""
        key, now = (mailbox_id, caller), self._clock()
        with self._lock:
            last = self._recorded.get(key)
        if last is not None and now - last < INTERVAL:
            return
        self._registry.record_audit(mailbox_id, caller, ACT)
        with self._lock:
            self._recorded[key] = now
            self._recorded.move_to_end(key)
            while len(self._recorded) > MAX_REMEMBERED:
                self._recorded.popitem(last=False)
