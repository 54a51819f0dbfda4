"""Decides whether one item or folder, rather than an outage, makes a request fail.

An outage ends a pass, and the queue delivers its message again. But a single item can end pass after pass: the server
never finishes writing it, or a front end breaks the connection. So after repeated failures a pass isolates them: it
requests each failed item alone. If that fails too while the mailbox otherwise responds, the item becomes an issue.
"""

import time
from collections.abc import Callable

from shared.errors import RetryLater

CHECK_SECONDS = 200.0
"""Failures are checked for so many seconds after a pass's first failure. One item without a response takes 120."""

MAX_CHECKS = 100
"""The highest number of failures that one pass checks. If more items fail, the mailbox store itself is at fault. The
items found until then are issues already, so the next pass continues where this one ended."""


class FaultAttribution:
    """Attributes the failures of one opened mailbox.

    `is_well` makes a cheap request and raises the error if the mailbox as a whole cannot be read.
    """

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
        self._checks = 0

    def may_be_item_fault(self, error: RetryLater) -> bool:
        """Whether the requested item or folder may cause this failure. Makes a request if failures are isolated.

        False if the server named a time for the next attempt: then it reports an outage itself.

        Raises: the error of the mailbox as a whole, if it cannot be read.
        """
        if not self._isolate_failures or error.retry_after is not None or error.tenant_wide:
            return False
        now = self._monotonic()
        if self._first is None:
            self._first = now
        if now - self._first > CHECK_SECONDS or self._checks >= MAX_CHECKS:
            return False
        self._checks += 1
        self._is_well()
        return True

    def raise_unless_item_fault(self, error: RetryLater) -> None:
        """Return if the requested item or folder causes this failure.

        Raises: `error` itself if it may be an outage; the error of the mailbox as a whole, if it cannot be read.
        """
        if not self.may_be_item_fault(error):
            raise error
