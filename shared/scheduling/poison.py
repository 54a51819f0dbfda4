"""A message that failed at every try: made visible on its mailbox, so that it does not vanish in a poison queue."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import NotFound, Reason, RetryLater
from shared.mailboxes.port import MailboxRegistry
from shared.mailboxes.transitions import Thresholds, after_failure

_log = logging.getLogger(__name__)


class Poison:
    """Records on a mailbox that a pass over it kept failing for a reason nobody foresaw."""

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
            _log.info("poisoned message of a mailbox that is gone")
