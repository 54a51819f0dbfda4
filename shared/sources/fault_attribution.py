"""Whether an outage may be the fault of what was asked about: one item or folder that the server chokes on.

An outage ends a pass, and the queue brings it again. What ends pass after pass may be a single item: a store that never
finishes writing it, a front end that breaks off. So when a pass is known to be stuck, whatever fails is asked for by
itself; what fails then too, while the mailbox answers otherwise, is to be left behind as an issue.
"""

import time
from collections.abc import Callable

from shared.errors import RetryLater

CHECK_SECONDS = 200.0
"""Seconds of a pass, from its first failure on, in which failures are looked into: a silent item takes 120 of them."""

MAX_CHECKS = 100
"""How many failures of a pass are looked into: when more items fail than that, the store behind them does. Those that
were found out are issues by then, so that the next pass goes on where this one ended."""


class FaultAttribution:
    """One opened mailbox's. `is_well` makes a cheap request and raises what is wrong with the mailbox as a whole."""

    def __init__(
        self,
        is_well: Callable[[], object],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        isolate_failures: bool = False,
    ) -> None:
        self._isolate_failures = isolate_failures
        self._is_well = is_well
        self._monotonic = monotonic
        self._first: float | None = None
        self._looked_into = 0

    def may_be_item_fault(self, error: RetryLater) -> bool:
        """Whether this failure may be the fault of what was asked about. Makes a request if the pass is stuck.

        Never when the server has named a time: then it is the one to speak of an outage.

        Raises: what is wrong with the mailbox as a whole.
        """
        if not self._isolate_failures or error.retry_after is not None or error.tenant_wide:
            return False
        now = self._monotonic()
        if self._first is None:
            self._first = now
        if now - self._first > CHECK_SECONDS or self._looked_into >= MAX_CHECKS:
            return False
        self._looked_into += 1
        self._is_well()
        return True

    def raise_unless_item_fault(self, error: RetryLater) -> None:
        """Let what was asked about be to blame for this failure.

        Raises: the failure itself when it may be an outage; what is wrong with the mailbox as a whole.
        """
        if not self.may_be_item_fault(error):
            raise error
