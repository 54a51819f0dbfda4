"""When a pass has to stop: its time is up, or somebody else has its lease."""

from collections.abc import Callable

from shared.mailboxes.port import Lease


class BudgetSpent(Exception):
    """The pass's time is up: commit what is there and go on in the next message."""


class LeaseLost(Exception):
    """Another pass may be under way on this mailbox: nothing more may be written."""


class Budget:
    """One pass's time, seconds from now on."""

    def __init__(self, seconds: float, lease: Lease, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds
        self._lease = lease

    def is_spent(self) -> bool:
        """Whether nothing new should be begun."""
        return self._monotonic() >= self._ends

    def stop(self) -> None:
        """Take the time for spent: nobody wants the pass to go on."""
        self._ends = self._monotonic()

    def check(self) -> None:
        """Called between pages. Raises BudgetSpent, LeaseLost."""
        self.check_lease()
        if self.is_spent():
            raise BudgetSpent

    def check_lease(self) -> None:
        """Called before every write. Raises LeaseLost."""
        if self._lease.lost():
            raise LeaseLost
