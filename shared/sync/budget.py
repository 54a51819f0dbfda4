"""The two reasons why a pass has to stop: its time is up, or it has lost its lease."""

from collections.abc import Callable

from shared.mailboxes.port import Lease


class BudgetSpent(Exception):
    """The pass's time is up: it commits what it has and continues with the next queue message."""


class LeaseLost(Exception):
    """Another pass may be running on this mailbox, so this one must not write anything more."""


class Budget:
    """The time limit of one pass, in seconds from its creation, and its lease."""

    def __init__(self, seconds: float, lease: Lease, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds
        self._lease = lease

    def is_spent(self) -> bool:
        """Whether the time is up, so that no new work should be started."""
        return self._monotonic() >= self._ends

    def stop(self) -> None:
        """Mark the budget as used up, because the mailbox was stopped."""
        self._ends = self._monotonic()

    def check(self) -> None:
        """Check the time and the lease; called between pages. Raises BudgetSpent, LeaseLost."""
        self.check_lease()
        if self.is_spent():
            raise BudgetSpent

    def check_lease(self) -> None:
        """Check the lease; called before every write. Raises LeaseLost."""
        if self._lease.lost():
            raise LeaseLost
