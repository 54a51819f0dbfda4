"""Handles messages that failed at every attempt: shows the failure on the mailbox, not only in the poison queue."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import NotFound, Reason, RetryLater
from shared.mailboxes.port import MailboxRegistry
from shared.mailboxes.transitions import Thresholds, after_failure

_log = logging.getLogger(__name__)


class Poison:
    """Records on a mailbox that its pass failed at every attempt for an unexpected reason."""

    def __init__(
        self,
        registry: MailboxRegistry,
        thresholds: Thresholds,
        interval: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._thresholds = thresholds
        self._interval = interval
        self._clock = clock

    def record(self, mailbox_id: str) -> None:
        """Count it as one failure of the mailbox, with the reason `internal`."""
        _log.error("message poisoned")
        error = RetryLater(Reason.INTERNAL)
        try:
            self._registry.change(
                mailbox_id,
                lambda mailbox: after_failure(mailbox, error, self._clock(), self._thresholds, self._interval),
            )
        except NotFound:
            _log.info("poisoned message ignored")
