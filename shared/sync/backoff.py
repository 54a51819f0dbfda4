"""How long to wait after a failure that cures itself, and the wait that a tenant's mailboxes share."""

import threading
from datetime import datetime, timedelta

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.sync.limits import Limits

JITTER = 0.25
"""Waits differ by up to this part, so that mailboxes that failed together do not come back together."""

_LIKE_AN_OUTAGE = {Reason.THROTTLED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.BAD_ANSWER}


def wait_after(error: RetryLater, mailbox: Mailbox, limits: Limits, jitter: float) -> timedelta:
    """How long to leave the mailbox alone. `jitter` is from 0 to 1.

    What the server named (two hours of it at most: then it is asked again); else twice the last wait, which the
    mailbox remembers as its `due_at`, up to an interval.
    """
    if error.retry_after is not None:
        wait = timedelta(seconds=error.retry_after)
    elif mailbox.due_at is not None and mailbox.last_pass_at is not None:
        wait = min((mailbox.due_at - mailbox.last_pass_at) * 2, limits.interval)
    else:
        wait = limits.shortest_wait
    wait = min(max(wait, limits.shortest_wait), limits.longest_wait)
    return wait * (1 + JITTER * jitter)


def is_stuck(mailbox: Mailbox, limits: Limits) -> bool:
    """Whether passes have failed so often in a row that the wait after the last has grown to minutes.

    Only by what looks like an outage: whatever else ends a pass is known for what it is.
    """
    if mailbox.reason not in _LIKE_AN_OUTAGE or mailbox.due_at is None or mailbox.last_pass_at is None:
        return False
    return mailbox.due_at - mailbox.last_pass_at >= min(limits.stuck_after, limits.interval)


class ProcessBackOff:
    """Implements TenantBackOff for the mailboxes that one process serves."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def until(self, tenant_id: str) -> datetime | None:
        """What this process has agreed."""
        with self._lock:
            return self._until.get(tenant_id)

    def extend(self, tenant_id: str, until: datetime) -> None:
        """Never shortened."""
        with self._lock:
            self._until[tenant_id] = max(until, self._until.get(tenant_id, until))
