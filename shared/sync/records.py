"""What is written down of a pass: the mailbox's figures, the run, and the line that alarms and workbook read."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.errors import ActionNeeded, NotFound, PersonMustSignIn
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry
from shared.sync import outcome
from shared.sync.limits import Limits
from shared.sync.outcome import Tally
from shared.sync.pass_ import Result

_log = logging.getLogger(__name__)


class PassRecords:
    """Tells the registry of passes. A mailbox that was erased meanwhile needs nothing any more: it gives None then."""

    def __init__(self, registry: MailboxRegistry, limits: Limits, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._limits = limits
        self._clock = clock

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox | None:
        """Change the mailbox; gives it as it is now."""
        try:
            return self._registry.change(mailbox_id, change)
        except NotFound:
            return None

    def in_progress(self, mailbox_id: str, tally: Tally) -> Mailbox | None:
        """The pass is under way and has come so far."""
        return self.change(mailbox_id, lambda before: outcome.in_progress(before, tally))

    def succeeded(self, mailbox_id: str, result: Result, tally: Tally) -> None:
        """The pass has ended without an error."""
        now = self._clock()
        after = self.change(mailbox_id, lambda before: outcome.succeeded(before, result, tally, now))
        self.ended(mailbox_id, outcome.named(result), tally, after, gone=after is None)

    def failed(self, mailbox: Mailbox, error: ActionNeeded, tally: Tally) -> Mailbox | None:
        """The pass has ended with an error; gives the mailbox as it is now."""
        after = self.change(mailbox.id, partial(self._failed, mailbox.authorization_id, error, tally, self._clock()))
        self.ended(mailbox.id, error.reason, tally, after, error, gone=after is None)
        return after

    def _failed(
        self, authorization_id: str, error: ActionNeeded, tally: Tally, now: datetime, mailbox: Mailbox
    ) -> Mailbox:
        """A refusal of an authorization that has been replaced while the pass was under way says nothing any more."""
        if isinstance(error, PersonMustSignIn) and mailbox.authorization_id != authorization_id:
            return mailbox
        return outcome.failed(mailbox, error, tally, now, self._limits)

    def ended(
        self,
        mailbox_id: str,
        named: str,
        tally: Tally,
        after: Mailbox | None = None,
        error: ActionNeeded | None = None,
        *,
        gone: bool = False,
    ) -> None:
        """Remember the run, and tell of it in a line: see infra/modules/alerts.bicep.

        `gone`: the mailbox was erased meanwhile, so that no run of it is to be remembered.
        """
        now = self._clock()
        counts = tally.counts
        _log.info(
            "pass ended",
            exc_info=error,
            extra={
                "outcome": str(named),
                "status": after.status.value if after else "",
                "seconds": (now - tally.started_at).total_seconds(),
                "new_items": counts.created,
                "updated": counts.updated,
                "moved": counts.moved,
                "deleted": counts.deleted,
                "bytes": counts.bytes,
                "issues": tally.issues,
            },
        )
        if not gone:
            self._registry.record_run(outcome.run_of(mailbox_id, str(named), tally, now))
