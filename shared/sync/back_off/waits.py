"""The back-off after a failure that needs nobody to act, and the back-off that a tenant's mailboxes share."""

import threading
from datetime import datetime, timedelta

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.sync.limits import Limits

JITTER = 0.25
"""Waits vary by up to this fraction, so that mailboxes that failed together do not retry together."""

ITEM_MAY_CAUSE = {Reason.THROTTLED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.BAD_ANSWER}
"""Reasons that an outage gives, but also one item that the server cannot handle.

They differ from `transitions.OUTAGES`, the reasons that never count against a mailbox: a bad answer may be this
mailbox's own, so it counts there; a conflict is another writer's, so no item can cause it.
"""


def wait_after(error: RetryLater, mailbox: Mailbox, limits: Limits, jitter: float) -> timedelta:
    """Return how long to wait before the mailbox's next pass. `jitter` is from 0 to 1.

    This is the time that the server asked for, up to two hours. Otherwise it is twice the previous wait, which follows
    from the mailbox's `due_at`, up to one interval.
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
    """Whether passes have failed so often in a row that the wait after the last one has grown to minutes.

    Only failures that one item may cause count, because the cause of any other failure is known.
    """
    if mailbox.reason not in ITEM_MAY_CAUSE or mailbox.due_at is None or mailbox.last_pass_at is None:
        return False
    return mailbox.due_at - mailbox.last_pass_at >= min(limits.stuck_after, limits.interval)


class ProcessBackOff:
    """Implements TenantBackOff for the mailboxes that one process serves."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def until(self, tenant_id: str) -> datetime | None:
        """Return the time stored in this process."""
        with self._lock:
            return self._until.get(tenant_id)

    def extend(self, tenant_id: str, until: datetime) -> None:
        """Extend the wait; it is never shortened."""
        with self._lock:
            self._until[tenant_id] = max(until, self._until.get(tenant_id, until))
